import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.search import questions
from broker.catalog.catalog import Catalog
from broker.catalog.exposure import Exposed, build
from broker.catalog.search import Search
from broker.catalog.search_words import stem
from broker.descriptors.pool import Descriptors, link
from broker.descriptors.sources import ProtoFiles
from tests.catalog.conftest import CatalogOf

ENGLISH = """
// Keeps the goods of a shop.
service Warehouse {
  // Removes an article from the shelves for good.
  rpc DeleteArticle(DeleteArticleRequest) returns (Article);
  // Says how many pieces there are.
  rpc CountPieces(CountPiecesRequest) returns (Article);
  rpc PutArticle(PutArticleRequest) returns (Article);
}
// Sends letters to customers.
service Post {
  // Puts a letter into an envelope.
  rpc SendLetter(SendLetterRequest) returns (Letter);
  rpc ReadLetter(ReadLetterRequest) returns (Letter);
}
message DeleteArticleRequest { string name = 1; }
message CountPiecesRequest { string warehouse_aisle = 1; }
message PutArticleRequest {
  // How it is kept.
  Cooling cooling = 1;
  Article article = 2;
}
enum Cooling { COOLING_UNSPECIFIED = 0; REFRIGERATED = 1; FROZEN = 2; }
message Article {
  // The barcode on the wrapping.
  string ean = 1;
}
message SendLetterRequest { string recipient = 1; }
message ReadLetterRequest { string name = 1; }
message Letter { string handwriting = 1; }
"""

CHINESE = """
// 图书馆的借阅服务
service Library {
  // 借出一本图书
  rpc A(Request) returns (Reply);
  // 归还已借出的图书
  rpc B(Request) returns (Reply);
  // 查询读者的逾期罚款
  rpc C(FineRequest) returns (Reply);
}
// 天气预报
service Sky {
  // 获取某个城市今天的气温和降水
  rpc D(CityRequest) returns (Reply);
  // 订阅台风预警通知
  rpc E(CityRequest) returns (Reply);
}
message Request { string isbn = 1; }
message FineRequest {
  // 读者证号码
  string card = 1;
}
message CityRequest { string city = 1; }
message Reply { string text = 1; }
"""


def found(search: Search, query: str, limit: int = 10) -> list[str]:
    return [one.tool.method.name for one in search.find(query, limit)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param("deleting articles", "DeleteArticle", id="the name, otherwise inflected"),
        pytest.param("shelves", "DeleteArticle", id="a comment"),
        pytest.param("which aisle", "CountPieces", id="a field of the request"),
        pytest.param("barcode", "PutArticle", id="the comment of a field of a message in the request"),
        pytest.param("something frozen", "PutArticle", id="an enum value"),
        pytest.param("envelope", "SendLetter", id="one of two methods in a service"),
        pytest.param("throw away an article", "DeleteArticle", id="a phrase of everyday words"),
        pytest.param("erase goods", "DeleteArticle", id="a synonym"),
        pytest.param("handwriting", "SendLetter", id="a field of the response"),
    ],
)
async def test_a_tool_is_found_by_all_that_its_proto_says(
    catalog_of: CatalogOf, query: str, expected: str
) -> None:
    assert found(Search(await catalog_of(ENGLISH)), query)[0] == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("我想借一本图书", "A"),
        ("怎么归还图书？", "B"),
        ("逾期罚款是多少", "C"),
        ("读者证号码", "C"),
        ("今天的气温", "D"),
        ("今天会有降水吗", "D"),
        ("台风来了请通知我", "E"),
    ],
)
async def test_chinese_questions_find_tools_with_chinese_comments(
    catalog_of: CatalogOf, query: str, expected: str
) -> None:
    assert found(Search(await catalog_of(CHINESE)), query)[0] == expected


@pytest.mark.parametrize(("query", "expected"), [("删除", "DeleteArticle"), ("发送", "SendLetter")])
async def test_a_chinese_verb_finds_an_english_tool(catalog_of: CatalogOf, query: str, expected: str) -> None:
    assert expected in found(Search(await catalog_of(ENGLISH)), query, 2)


LAMPS = """
service Lamps {
  rpc GetLamp(Lamp) returns (Lamp); rpc ListLamps(Lamp) returns (Lamp); rpc CreateLamp(Lamp) returns (Lamp);
  rpc UpdateLamp(Lamp) returns (Lamp); rpc DeleteLamp(Lamp) returns (Lamp);
  rpc EnableLamp(Lamp) returns (Lamp); rpc DisableLamp(Lamp) returns (Lamp);
  rpc BatchRestoreLamps(Lamp) returns (Lamp);
}
message Lamp { string name = 1; }
"""


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("which lamps are there?", "ListLamps"),
        ("I need another lamp, make one", "CreateLamp"),
        ("Could you get rid of the old lamp", "DeleteLamp"),
        ("throw the lamp that I made away", "DeleteLamp"),
        ("turn the lamp off", "DisableLamp"),
        ("switching on a lamp", "EnableLamp"),
        ("bring back my lamps", "BatchRestoreLamps"),
        ("adjust the lamp", "UpdateLamp"),
        ("怎么修改 lamp", "UpdateLamp"),
        ("把 lamp 删除", "DeleteLamp"),
    ],
)
async def test_of_the_methods_of_one_thing_that_comes_first_which_does_what_is_asked(
    catalog_of: CatalogOf, query: str, expected: str
) -> None:
    assert found(Search(await catalog_of(LAMPS)), query)[0] == expected


async def test_words_that_mean_something_together_are_found_together(catalog_of: CatalogOf) -> None:
    text = """
    // The load on a scale.
    service Scale { rpc GetBalancer(M) returns (M); rpc GetLoad(M) returns (M); }
    service Traffic { rpc GetLoadBalancer(M) returns (M); }
    message M {}
    """
    search = Search(await catalog_of(text))

    assert found(search, "spread traffic evenly")[0] == "GetLoadBalancer"
    assert found(search, "reverse proxy") == ["GetLoadBalancer"]


async def test_a_chinese_word_of_three_characters_finds_an_english_tool(catalog_of: CatalogOf) -> None:
    text = (
        "service S { rpc A(Apple) returns (Apple); rpc GetInstance(Apple) returns (Apple); } message Apple {}"
    )

    assert found(Search(await catalog_of(text)), "有几台虚拟机在运行？") == ["GetInstance"]


@pytest.mark.parametrize(
    "query",
    [
        "shop_v1_Post_ReadLetter",
        "shop.v1.Post.ReadLetter",
        "/shop.v1.Post/ReadLetter",
        "SHOP_V1_POST_READLETTER",
        "Please call shop.v1.Post.ReadLetter. An article from the shelves, an article, delete it for good!",
    ],
)
async def test_a_tool_that_the_question_names_comes_first(catalog_of: CatalogOf, query: str) -> None:
    first = Search(await catalog_of(ENGLISH)).find(query)[0]

    assert first.tool.full_name == "shop.v1.Post.ReadLetter"
    assert first.named


async def test_every_tool_is_found_by_its_own_names(probe_descriptors: Descriptors) -> None:
    catalog = build([Exposed(backend="probe", descriptors=probe_descriptors)], {})
    search = Search(catalog)

    for tool in catalog:
        assert search.find(tool.name, 1)[0].tool is tool
        assert search.find(tool.full_name, 1)[0].tool is tool


async def test_the_same_question_gets_the_same_answer_and_ties_keep_the_order_of_the_catalog(
    catalog_of: CatalogOf,
) -> None:
    text = """
    service S { rpc B(M) returns (M); rpc A(M) returns (M); rpc C(M) returns (M); }
    message M { string plum = 1; }
    """
    catalog = await catalog_of(text)

    assert found(Search(catalog), "plum") == found(Search(catalog), "plum") == ["B", "A", "C"]


async def test_a_word_in_the_name_says_more_than_one_in_the_response(catalog_of: CatalogOf) -> None:
    text = """
    service S { rpc Pick(Empty) returns (Basket); rpc EatPlum(Empty) returns (Empty); }
    message Empty {} message Basket { string plum = 1; }
    """
    assert found(Search(await catalog_of(text)), "plum") == ["EatPlum", "Pick"]


async def test_a_tool_that_has_all_words_comes_before_one_that_repeats_a_single_one(
    catalog_of: CatalogOf,
) -> None:
    text = """
    service S {
      // A plum: plum plum plum plum plum plum.
      rpc A(Empty) returns (Empty);
      // Stones a plum, then bakes the cake of it.
      rpc B(Empty) returns (Empty);
      // A cake: cake cake cake cake cake cake.
      rpc C(Empty) returns (Empty);
    }
    message Empty {}
    """
    assert found(Search(await catalog_of(text)), "plum cake")[0] == "B"


async def test_the_order_of_chinese_characters_counts(catalog_of: CatalogOf) -> None:
    text = """
    service S {
      // 观察蜜蜂
      rpc Bees(Empty) returns (Empty);
      // 收获蜂蜜
      rpc Honey(Empty) returns (Empty);
    }
    message Empty {}
    """
    assert found(Search(await catalog_of(text)), "蜂蜜") == ["Honey", "Bees"]


async def test_only_what_is_offered_is_found_even_by_name(catalog_of: CatalogOf) -> None:
    search = Search(await catalog_of(ENGLISH))
    query = "shop.v1.Warehouse.DeleteArticle article"
    results = search.find(query, offered=lambda tool: tool.method.name != "DeleteArticle")
    names = [one.tool.method.name for one in results]

    assert names[0] == "PutArticle"
    assert "DeleteArticle" not in names


async def versions(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    folder = tmp_path_factory.mktemp("versions")
    names = []
    for version in ("v1beta1", "v1", "v2alpha"):
        (folder / f"{version}.proto").write_text(
            f'syntax = "proto3"; package fruit.{version}; message M {{}}'
            "service S { rpc EatPlum(M) returns (M); }"
        )
        names.append(f"{version}.proto")
    return build(
        [Exposed(backend="fruit", descriptors=link(await ProtoFiles(tuple(names), (folder,)).load()))], {}
    )


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("eat a plum", ["v1", "v1beta1", "v2alpha"]),
        ("eat a plum, v1beta1", ["v1beta1", "v1", "v2alpha"]),
        ("fruit.v2alpha.S.EatPlum", ["v2alpha", "v1", "v1beta1"]),
    ],
)
async def test_versions_of_a_method_are_found_once_the_stable_one_unless_another_is_asked_for(
    tmp_path_factory: pytest.TempPathFactory, query: str, expected: list[str]
) -> None:
    (one,) = Search(await versions(tmp_path_factory)).find(query)

    assert [tool.full_name.split(".")[1] for tool in (one.tool, *one.versions)] == expected


@pytest.mark.parametrize(
    "query",
    ["", "   ", "?!", "the of and", "zzzzqqq", "\x00", "\ud800", "的", "x" * 10_240],
    ids=lambda query: ascii(query[:10]),
)
async def test_a_question_that_says_nothing_finds_nothing(catalog_of: CatalogOf, query: str) -> None:
    assert Search(await catalog_of(ENGLISH)).find(query) == []


async def test_a_question_of_ten_thousand_words_is_cut(catalog_of: CatalogOf) -> None:
    query = "letter " + "noise " * 10_000 + "barcode"

    assert found(Search(await catalog_of(ENGLISH)), query)[0] == "SendLetter"


async def test_limit_is_kept_and_an_empty_catalog_has_nothing(catalog_of: CatalogOf) -> None:
    search = Search(await catalog_of(ENGLISH))

    assert [len(search.find("article letter", limit)) for limit in (0, 1, 2)] == [0, 1, 2]
    assert Search(build([], {})).find("anything") == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(query=st.text(max_size=300))
def test_no_text_makes_the_search_fail(probe_descriptors: Descriptors, query: str) -> None:
    catalog = build([Exposed(backend="probe", descriptors=probe_descriptors)], {})
    results = Search(catalog).find(query, 3)

    assert len({one.tool.name for one in results}) == len(results) <= 3


def test_no_question_of_the_benchmark_shares_a_word_with_its_answers() -> None:
    part = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
    shared = {}
    for question in questions():
        asked = {stem(word.lower()) for word in re.findall(r"[^\W_]+", question.text)}
        for answer in question.answers:
            names = {stem(word.lower()) for name in answer.split(".")[-2:] for word in part.findall(name)}
            if asked & names:
                shared[question.text] = asked & names

    assert shared == {}


def test_the_benchmark_asks_enough_about_enough_services_in_two_parts() -> None:
    asked = questions()
    held_out = [question for question in asked if question.held_out]

    assert len(asked) == len({question.text for question in asked}) >= 200
    assert len({min(question.answers).rpartition(".")[0] for question in asked}) >= 40
    assert len(held_out) >= 100
    assert len(asked) - len(held_out) >= 100

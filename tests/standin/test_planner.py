"""From a sentence to calls: which tool, which arguments, and what is said when none fits."""

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from broker.standin import planner
from broker.standin.planner import Plan, plan

TODAY = date(2026, 3, 2)  # a Monday
Tools = list[dict[str, Any]]
WEATHER = "weather_v1_WeatherService_GetWeather"
FORECAST = "weather_v1_WeatherService_GetForecast"
INTRODUCTIONS = ("Rule-based stand-in, not a language model.", "（基于规则的替身程序，不是语言模型。）")


def tool(name: str, description: str, **properties: dict[str, Any]) -> dict[str, Any]:
    """A function tool as a provider is sent it; all of its parameters are required."""
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    function = {"name": name, "description": description, "parameters": parameters}
    return {"type": "function", "function": function}


def ask(prompt: str, tools: Tools, **more: Any) -> Plan:
    return plan([{"role": "user", "content": prompt}], tools, today=TODAY, **more)


def calls(answer: Plan) -> list[tuple[str, dict[str, Any]]]:
    return [(call.name, dict(call.arguments)) for call in answer.calls]


def arguments(prompt: str, *tools: dict[str, Any]) -> dict[str, Any]:
    """The arguments of the one call that a prompt makes."""
    answer = ask(prompt, list(tools))
    assert len(answer.calls) == 1, answer
    return dict(answer.calls[0].arguments)


@pytest.mark.parametrize(
    ("prompt", "name", "cities"),
    [
        ("北京、上海和广州今天天气怎么样?", WEATHER, ["北京", "上海", "广州"]),
        ("What's the weather in Paris?", WEATHER, ["Paris"]),
        ("weather in Paris, Berlin and New York", WEATHER, ["Paris", "Berlin", "New York"]),
        ("what is the weather like in new york and london?", WEATHER, ["new york", "london"]),
        ("Rio de Janeiro weather, please", WEATHER, ["Rio de Janeiro"]),
        ("Compare the weather in Paris and London", WEATHER, ["Paris", "London"]),
        ("上海天气怎么样", WEATHER, ["上海"]),
        ("哈尔滨天气", WEATHER, ["哈尔滨"]),
        ("北京和上海天气怎么样", WEATHER, ["北京", "上海"]),
        ("北京和呼和浩特今天的天气", WEATHER, ["北京", "呼和浩特"]),
        ("Paris天气怎么样", WEATHER, ["Paris"]),
        ("请告诉我三亚现在的气温", WEATHER, ["三亚"]),
        ("成都今天热吗", WEATHER, ["成都"]),
        ("伦敦会下雨吗", WEATHER, ["伦敦"]),
        ("明天上海的天气", FORECAST, ["上海"]),
        ("明天去杭州，天气怎么样", FORECAST, ["杭州"]),
        ("我在成都，今天要带伞吗？", WEATHER, ["成都"]),
        ("Will it rain in Oslo tomorrow?", FORECAST, ["Oslo"]),
    ],
)
def test_each_place_of_a_sentence_is_a_call(
    prompt: str, name: str, cities: list[str], weather: Tools
) -> None:
    answer = ask(prompt, weather)
    assert [call for call, _ in calls(answer)] == [name] * len(cities)
    assert [given["name"] for _, given in calls(answer)] == cities


def test_each_sentence_finds_its_tool_among_many(weather: Tools, zoo: Tools) -> None:
    text = {"type": "string"}
    mail = tool("mail_v1_MailService_SendEmail", "Sends an email.", to=text, subject=text, body=text)
    tools = [mail, *zoo, *weather]
    assert [name for name, _ in calls(ask("北京、上海和广州今天天气怎么样?", tools))] == [WEATHER] * 3
    assert [name for name, _ in calls(ask("东京未来五天的天气预报", tools))] == [FORECAST]
    given = {"to": "bob@example.org", "subject": "午饭", "body": "中午见"}
    prompt = "给 bob@example.org 发送邮件，标题是“午饭”，内容是“中午见”"
    assert calls(ask(prompt, tools)) == [("mail_v1_MailService_SendEmail", given)]
    prompt = 'Send an email to bob@example.org titled "Lunch" saying "See you at noon"'
    given = {"to": "bob@example.org", "subject": "Lunch", "body": "See you at noon"}
    assert calls(ask(prompt, tools)) == [("mail_v1_MailService_SendEmail", given)]


def test_a_name_alone_does_not_make_a_chinese_sentence_a_call_of_anything() -> None:
    tools = [tool("mail_v1_SendEmail", "Sends an email.", body={"type": "string"})]
    assert ask("北京和上海的风景", tools).calls == ()


def test_nothing_that_was_not_said_is_sent(weather: Tools) -> None:
    assert calls(ask("北京今天天气怎么样?", weather)) == [(WEATHER, {"name": "北京"})]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("Forecast for Tokyo for 5 days", {"name": "Tokyo", "days": 5}),
        ("What's the weather like in Tokyo for the next three days?", {"name": "Tokyo", "days": 3}),
        ("weather in Tokyo for 3 days", {"name": "Tokyo", "days": 3}),
        ("东京未来五天的天气预报", {"name": "东京", "days": 5}),
        ("我想知道未来三天东京的天气预报", {"name": "东京", "days": 3}),
        ("天津未来一周的天气", {"name": "天津", "days": 7}),
        ("forecast for a week in Lima", {"name": "Lima", "days": 7}),
        ("forecast for Lima in imperial units", {"name": "Lima", "units": "UNITS_IMPERIAL"}),
    ],
)
def test_a_sentence_about_days_goes_to_the_tool_that_takes_them(
    prompt: str, expected: dict[str, Any], weather: Tools
) -> None:
    assert calls(ask(prompt, weather)) == [(FORECAST, expected)]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        (
            'Adopt the seal "Momo" from March 5 for six months with a donation of 12.50',
            {
                "animal": "Momo",
                "kind": "KIND_SEAL",
                "start_date": "2026-03-05",
                "months": 6,
                "donation": 12.5,
            },
        ),
        (
            "Adopt Kiwi, a bird, starting tomorrow for 3 months; visit on 2026-03-08 at 3pm",
            {
                "animal": "Kiwi",
                "kind": "KIND_BIRD",
                "start_date": "2026-03-03",
                "visit": "2026-03-08T15:00:00Z",
                "months": 3,
            },
        ),
        (
            "从3月5日起领养小熊猫“豆豆”十二个月，每月捐款12.5元",
            {
                "animal": "豆豆",
                "kind": "KIND_RED_PANDA",
                "start_date": "2026-03-05",
                "months": 12,
                "donation": 12.5,
            },
        ),
        (
            "从明天开始领养海豹“毛毛”三个月，3月8日下午三点来看它",
            {
                "animal": "毛毛",
                "kind": "KIND_SEAL",
                "start_date": "2026-03-03",
                "visit": "2026-03-08T15:00:00Z",
                "months": 3,
            },
        ),
    ],
)
def test_a_proto_that_nobody_knew_is_called_in_english_and_in_chinese(
    prompt: str, expected: dict[str, Any], zoo: Tools
) -> None:
    assert calls(ask(prompt, zoo)) == [("zoo_v1_ZooService_AdoptAnimal", expected)]


@pytest.mark.parametrize(
    "prompt", ["hello", "What can you do?", "Who is Ada Lovelace?", "你好", "你是谁", "讲个笑话", ""]
)
def test_what_no_tool_fits_is_answered_with_the_tools_there_are(prompt: str, weather: Tools) -> None:
    answer = ask(prompt, weather)
    assert answer.calls == ()
    assert answer.text is not None
    assert WEATHER in answer.text
    assert FORECAST in answer.text


@pytest.mark.parametrize(
    ("prompt", "introduction"), [("hello", INTRODUCTIONS[0]), ("你好", INTRODUCTIONS[1])]
)
def test_the_first_words_say_that_it_is_rule_based_in_the_users_language(
    prompt: str, introduction: str, weather: Tools
) -> None:
    for tools in (weather, []):
        assert (ask(prompt, tools).text or "").startswith(introduction)


def test_many_tools_are_not_all_listed() -> None:
    text = ask("hello", [tool(f"t_{at}", "Does it.") for at in range(30)]).text or ""
    assert "and 18 more" in text
    assert len(text) < 2_000


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("Tell me the weather", ["`name`", "The city, in English or in Chinese"]),
        ("今天天气怎么样？", ["`name`", "还需要"]),
    ],
)
def test_what_is_missing_is_asked_for_by_name_and_description(
    prompt: str, words: list[str], weather: Tools
) -> None:
    text = ask(prompt, weather).text or ""
    assert all(word in text for word in words)
    assert text.startswith(INTRODUCTIONS)


def test_a_question_about_an_enum_lists_its_values(zoo: Tools) -> None:
    text = ask('Adopt "Kiwi" from tomorrow for 3 months', zoo).text or ""
    assert "`kind`" in text
    assert "KIND_BIRD, KIND_RED_PANDA, KIND_SEAL" in text
    assert "UNSPECIFIED" not in text


def converse(tools: Tools, *prompts: str) -> Plan:
    """A conversation in which each answer but the last is said by the planner."""
    messages: list[dict[str, Any]] = []
    for prompt in prompts:
        messages.append({"role": "user", "content": prompt})
        answer = plan(messages, tools, today=TODAY)
        messages.append({"role": "assistant", "content": answer.text})
    return answer


@pytest.mark.parametrize(
    ("prompts", "expected"),
    [
        (["Forecast for 5 days", "Paris"], [{"name": "Paris", "days": 5}]),
        (["Forecast for 5 days", "in paris, please"], [{"name": "paris", "days": 5}]),
        (
            ["未来五天的天气预报", "呼和浩特和北京"],
            [{"name": "呼和浩特", "days": 5}, {"name": "北京", "days": 5}],
        ),
        (["未来五天的天气预报", "京"], [{"name": "京", "days": 5}]),
    ],
)
def test_the_answer_to_a_question_completes_what_was_wanted(
    prompts: list[str], expected: list[dict[str, Any]], weather: Tools
) -> None:
    assert calls(converse(weather, *prompts)) == [(FORECAST, given) for given in expected]


def test_questions_go_on_until_nothing_is_missing(zoo: Tools) -> None:
    answer = converse(zoo, "Adopt an animal", "Kiwi", "a bird", "next Friday", "two")
    expected = {"animal": "Kiwi", "kind": "KIND_BIRD", "start_date": "2026-03-06", "months": 2}
    assert calls(answer) == [("zoo_v1_ZooService_AdoptAnimal", expected)]


def test_an_answer_that_does_not_fit_is_asked_for_again(zoo: Tools) -> None:
    assert "`months`" in (converse(zoo, 'Adopt the bird "Kiwi" from tomorrow', "a while").text or "")


@pytest.mark.parametrize(("answer", "value"), [("yes", True), ("No.", False), ("要", True), ("不要", False)])
def test_a_flag_that_is_required_is_answered_with_yes_or_no(answer: str, value: bool) -> None:
    tools = [tool("woods_FellTree", "Fells a tree.", safely={"type": "boolean"})]
    assert calls(converse(tools, "Fell the tree", answer)) == [("woods_FellTree", {"safely": value})]


def test_a_question_may_be_answered_with_another_wish(weather: Tools) -> None:
    assert calls(converse(weather, "Forecast for 5 days", "What's the weather in Rome?")) == [
        (WEATHER, {"name": "Rome"})
    ]


@pytest.mark.parametrize(
    ("first", "then", "city"),
    [("What's the weather in Paris?", "And in Oslo?", "Oslo"), ("北京今天天气怎么样", "那上海呢？", "上海")],
)
def test_a_prompt_that_leaves_out_the_topic_takes_the_one_before(
    first: str, then: str, city: str, weather: Tools
) -> None:
    messages = [
        {"role": "user", "content": first},
        {"role": "assistant", "content": "It is fine."},
        {"role": "user", "content": then},
    ]
    assert calls(plan(messages, weather, today=TODAY)) == [(WEATHER, {"name": city})]
    assert calls(plan(messages[2:], weather, today=TODAY)) == []


def test_the_operators_words_are_no_values(weather: Tools) -> None:
    messages = [
        {"role": "system", "content": "The user lives in Paris."},
        {"role": "developer", "content": "weather in Berlin"},
        {"role": "user", "content": "hello"},
    ]
    assert plan(messages, weather, today=TODAY).calls == ()


def test_the_operators_words_do_not_part_a_question_from_its_answer(weather: Tools) -> None:
    question = ask("Forecast for 5 days", weather).text
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": "Forecast for 5 days"},
        {"role": "assistant", "content": question},
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Paris"},
    ]
    assert calls(plan(messages, weather, today=TODAY)) == [(FORECAST, {"name": "Paris", "days": 5})]


def after_results(prompt: str, made: list[tuple[str, dict[str, Any], str]]) -> list[dict[str, Any]]:
    """A conversation whose calls have been made and answered."""
    tool_calls = [
        {"id": f"c{at}", "type": "function", "function": {"name": name, "arguments": json.dumps(given)}}
        for at, (name, given, _) in enumerate(made)
    ]
    results = [
        {"role": "tool", "tool_call_id": f"c{at}", "content": said} for at, (_, _, said) in enumerate(made)
    ]
    return [
        {"role": "user", "content": prompt},
        {"role": "assistant", "content": None, "tool_calls": tool_calls},
        *results,
    ]


def test_results_are_told_a_line_each_and_failures_as_such(weather: Tools) -> None:
    made = [
        (WEATHER, {"name": "Paris"}, '{"location":"Paris","temp":0,"sky":{"cover":0.5},"windy":false}'),
        (WEATHER, {"name": "Atlantis"}, "NOT_FOUND: no such city\nCorrect the arguments."),
        (WEATHER, {"name": "Oslo"}, '{"error":{"message":"no wind"}}'),
        (WEATHER, {"name": "Rome"}, '{"error":"no sun"}'),
        (WEATHER, {"name": "Bern"}, "{}"),
        (WEATHER, {}, "plain words"),
        (WEATHER, {"name": "Lima"}, '["a", [["deep", [1]]], null]'),
    ]
    answer = plan(after_results("Weather in Paris and Atlantis?", made), weather, today=TODAY)
    assert answer.calls == ()
    assert (answer.text or "").splitlines() == [
        "Rule-based stand-in, not a language model. The tools answered:",
        "- Paris: location = Paris, temp = 0, sky (cover = 0.5), windy = false",
        "- Atlantis: failed: NOT_FOUND: no such city Correct the arguments.",
        "- Oslo: failed: no wind",
        "- Rome: failed: no sun",
        "- Bern: empty",
        f"- {WEATHER}: plain words",
        "- Lima: [a; [[deep; […]]]; null]",
    ]


def test_results_are_told_in_chinese_when_asked_in_chinese(weather: Tools) -> None:
    days = [{"date": f"2026-03-0{at}", "temp_min": at} for at in range(1, 6)]
    shown = [f"(date = 2026-03-0{at}，temp_min = {at})" for at in range(1, 4)]
    made = [
        (FORECAST, {"name": "北京"}, json.dumps({"location": "Beijing", "days": days})),
        (FORECAST, {"name": "某地"}, "UNAVAILABLE: down"),
    ]
    text = plan(after_results("北京和某地未来五天的天气", made), weather, today=TODAY).text or ""
    assert text.splitlines()[1:] == [
        f"- 北京：location = Beijing，days [{'; '.join(shown)}; … 共 5 项]",
        "- 某地：失败：UNAVAILABLE: down",
    ]


def test_a_long_result_is_shortened(weather: Tools) -> None:
    made = [
        (
            WEATHER,
            {"name": "Paris"},
            json.dumps({"a": "x" * 100_000, "b": list(range(100_000)), "c": "y" * 600}),
        )
    ]
    text = plan(after_results("Weather in Paris?", made), weather, today=TODAY).text or ""
    assert len(text) < 1_000
    assert "100000 in all" in text


def test_a_call_is_not_made_twice(weather: Tools) -> None:
    made = [(WEATHER, {"name": "Paris"}, "{}")]
    assert plan(after_results("Weather in Paris?", made), weather, today=TODAY).calls == ()


def test_calls_come_one_by_one_when_they_may_not_be_parallel(weather: Tools) -> None:
    prompt = "weather in Paris, Berlin and Oslo"
    made: list[tuple[str, dict[str, Any], str]] = []
    for city in ("Paris", "Berlin", "Oslo"):
        messages = after_results(prompt, made) if made else [{"role": "user", "content": prompt}]
        answer = plan(messages, weather, today=TODAY, parallel=False)
        assert calls(answer) == [(WEATHER, {"name": city})]
        made.append((WEATHER, {"name": city}, "{}"))
    assert plan(after_results(prompt, made), weather, today=TODAY, parallel=False).text is not None


def test_the_same_value_twice_is_one_call(weather: Tools) -> None:
    assert len(ask("weather in Paris and Paris", weather).calls) == 1


def test_no_more_than_sixteen_calls_are_made(weather: Tools) -> None:
    cities = ", ".join(f"Town{at}" for at in range(40))
    assert len(ask(f"weather in {cities}", weather).calls) == 16


def named(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name}}


@pytest.mark.parametrize(
    ("tool_choice", "prompt", "name"),
    [
        ("auto", "Weather in Paris?", WEATHER),
        (None, "Weather in Paris?", WEATHER),
        ("required", "I was in Paris", WEATHER),
        (named(FORECAST), "Weather in Paris?", FORECAST),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [named(FORECAST)]}},
            "Weather in Paris?",
            FORECAST,
        ),
        ("none", "Weather in Paris?", None),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}},
            "Weather in Paris?",
            None,
        ),
    ],
)
def test_tool_choice_says_which_tools_may_be_called(
    tool_choice: object, prompt: str, name: str | None, weather: Tools
) -> None:
    answer = ask(prompt, weather, tool_choice=tool_choice)
    assert [call for call, _ in calls(answer)] == ([] if name is None else [name])


@pytest.mark.parametrize("tool_choice", ["required", named(WEATHER)])
def test_a_forced_call_that_cannot_be_filled_is_asked_about(tool_choice: object, weather: Tools) -> None:
    assert "`name`" in (ask("hello", weather, tool_choice=tool_choice).text or "")


@pytest.mark.parametrize(
    "tool_choice", ["sometimes", 5, named("nothing"), {"type": "function"}, {"type": "custom"}]
)
def test_a_tool_choice_that_is_none_is_refused(tool_choice: object, weather: Tools) -> None:
    with pytest.raises(ValueError, match="tool_choice"):
        ask("hello", weather, tool_choice=tool_choice)


def test_a_chinese_catalog_is_matched_word_by_word() -> None:
    tools = [
        tool("a_Tree", "查询树木的高度", kind={"type": "string", "description": "树种，例如“橡树”"}),
        tool("b_Fish", "查询鱼类的重量", kind={"type": "string", "description": "鱼种，如鲤鱼"}),
    ]
    assert calls(ask("鲫鱼重量是多少", tools)) == [("b_Fish", {"kind": "鲫鱼"})]
    assert calls(ask("银杏高度多少", tools)) == [("a_Tree", {"kind": "银杏"})]


def test_of_tools_that_fit_equally_the_first_is_called() -> None:
    tools = [tool(f"{letter}_Find", "Finds a tree.", called={"type": "string"}) for letter in "ab"]
    assert calls(ask("Find the tree Yggdrasil", tools)) == [("a_Find", {"called": "Yggdrasil"})]


def test_the_source_knows_no_tool_of_ours() -> None:
    latin = "weather forecast temperature celsius humidity rain paris london tokyo beijing shanghai city"
    han = "天气 预报 气温 下雨 北京 上海 城市"
    folder = Path(planner.__file__).parent
    text = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py")).lower()
    assert [word for word in latin.split() if re.search(rf"\b{word}", text)] == []
    assert [word for word in han.split() if word in text] == []

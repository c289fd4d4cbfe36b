import grpc

from broker.errors import Code


def test_the_codes_are_those_of_grpc_less_ok() -> None:
    expected = {code.name: code.value[0] for code in grpc.StatusCode if code is not grpc.StatusCode.OK}

    assert len(expected) == 16
    assert {code.name: code.value for code in Code} == expected

"""Defaults, a method's own options and the operator's settings → what may happen around its calls."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from fnmatch import fnmatchcase
from typing import Any

from broker.config.settings import ToolSettings
from broker.descriptors.options import MethodOptions
from broker.tool import Approval, Policy

_POLICY_KEYS = tuple(field.name for field in fields(Policy))


def policy(
    options: MethodOptions, settings: ToolSettings, *, trusted: bool, ask_by_default: bool = False
) -> Policy:
    """Defaults < options of the proto < the operator's settings.

    `trusted` is False for options of a reflected server: they may only tighten the defaults.
    `ask_by_default`: a method that nobody who is trusted has marked as free of side effects needs approval.
    """
    default = _ASKING if ask_by_default and not _is_harmless(options, settings, trusted) else _DEFAULT
    tightened = _with_options(default, options, trusted=trusted)
    said = {key: value for key in _POLICY_KEYS if (value := getattr(settings, key)) is not None}
    return replace(tightened, **said) if said else tightened


_DEFAULT = Policy()
_ASKING = Policy(approval=Approval.REQUIRED)
_BY_STRENGTH = (Approval.NEVER, Approval.REQUIRED, Approval.DENY)


def _is_harmless(options: MethodOptions, settings: ToolSettings, trusted: bool) -> bool:
    if settings.read_only is not None:
        return settings.read_only
    return trusted and options.idempotency_level == "NO_SIDE_EFFECTS"


def _with_options(default: Policy, options: MethodOptions, *, trusted: bool) -> Policy:
    if options.timeout is None and options.approval is None:
        return default
    timeout = default.timeout if options.timeout is None else options.timeout
    approval = default.approval if options.approval is None else options.approval
    if not trusted:
        timeout = min(timeout, default.timeout)
        approval = max(approval, default.approval, key=_BY_STRENGTH.index)
    return replace(default, timeout=timeout, approval=approval)


class ToolRules:
    """The operator's settings by pattern of full names.

    An exact name beats a pattern, a longer literal prefix a shorter, key by key.

    >>> rules = ToolRules({"a.*": ToolSettings(timeout=2, hidden=True), "a.v1.S.M": ToolSettings(timeout=5)})
    >>> found = rules.settings("a.v1.S.M")
    >>> found.timeout, found.hidden
    (5.0, True)
    """

    def __init__(self, tools: Mapping[str, ToolSettings], *, ask_by_default: bool = False) -> None:
        """`ask_by_default`: what nobody has marked as free of side effects needs approval."""
        self._ask_by_default = ask_by_default
        # The most specific comes last, so that it overwrites; the file's order decides between equals.
        self._rules = sorted(
            ((pattern, _said(settings)) for pattern, settings in tools.items()),
            key=lambda rule: _specificity(rule[0]),
        )

    def settings(self, full_name: str) -> ToolSettings:
        """All that is said about one method."""
        fitting = [said for pattern, said in self._rules if fnmatchcase(full_name, pattern)]
        if not fitting:
            return _NOTHING
        merged: dict[str, Any] = {}
        for said in fitting:
            merged.update(said)
        return ToolSettings.model_construct(**merged)

    def policy(self, options: MethodOptions, settings: ToolSettings, *, trusted: bool) -> Policy:
        """What may happen around the calls of a method with these options and settings."""
        return policy(options, settings, trusted=trusted, ask_by_default=self._ask_by_default)


_NOTHING = ToolSettings()


def fits_any(full_name: str, patterns: Iterable[str]) -> bool:
    """Whether one of the patterns fits the name; `*` also stands for dots."""
    return any(fnmatchcase(full_name, pattern) for pattern in patterns)


def _said(settings: ToolSettings) -> dict[str, Any]:
    return {key: value for key in ToolSettings.model_fields if (value := getattr(settings, key)) is not None}


def _specificity(pattern: str) -> tuple[bool, int]:
    literal = next((place for place, char in enumerate(pattern) if char in "*?["), None)
    return (True, len(pattern)) if literal is None else (False, literal)

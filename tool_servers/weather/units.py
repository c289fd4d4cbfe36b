"""Metric numbers → the units that were asked for, by the exact definitions of mile and inch."""

from dataclasses import dataclass

KILOMETRES_PER_MILE = 1.609344
MILLIMETRES_PER_INCH = 25.4


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """Degrees Celsius, kilometres per hour, millimetres: what providers speak, to one hundredth.

    >>> Metric().temperature(23.456)
    23.46
    """

    def temperature(self, celsius: float) -> float:
        return round(celsius, 2)

    def speed(self, kilometres: float) -> float:
        return round(kilometres, 2)

    def depth(self, millimetres: float) -> float:
        return round(millimetres, 2)


@dataclass(frozen=True, kw_only=True, slots=True)
class Imperial:
    """Degrees Fahrenheit, miles per hour, inches, to one hundredth.

    >>> Imperial().temperature(23), Imperial().speed(16.09344), Imperial().depth(12.7)
    (73.4, 10.0, 0.5)
    """

    def temperature(self, celsius: float) -> float:
        return round(celsius * 9 / 5 + 32, 2)

    def speed(self, kilometres: float) -> float:
        return round(kilometres / KILOMETRES_PER_MILE, 2)

    def depth(self, millimetres: float) -> float:
        return round(millimetres / MILLIMETRES_PER_INCH, 2)

"""When people buy books: before Christmas, at weekends, in the evening."""

from dataclasses import dataclass

import numpy as np

from localcloud.bookstore.plan import DAY, Floats, Ints, Plan

HOUR = 3_600
BY_MONTH = np.array([0.85, 0.85, 0.9, 0.95, 1.0, 0.95, 1.0, 0.9, 1.0, 1.05, 1.35, 1.9])
BY_WEEKDAY = np.array([0.9, 0.9, 0.95, 1.0, 1.1, 1.25, 1.2])  # from Monday
BY_HOUR = np.array([2, 1, 1, 1, 1, 2, 4, 7, 9, 10, 11, 12, 13, 12, 11, 11, 12, 14, 17, 20, 21, 18, 11, 5]) / 10
EPOCH_WEEKDAY = 3  # 1 January 1970 was a Thursday


@dataclass(frozen=True)
class Calendar:
    """Demand as a clock: equal stretches of `demand` see equally many orders.

    Attributes:
        hours: The start of each hour from the first to after the last, in seconds since the epoch.
        demand: The demand up to that hour.
    """

    hours: Ints
    demand: Floats

    def demand_at(self, seconds: Ints) -> Floats:
        demand: Floats = np.interp(seconds, self.hours, self.demand)
        return demand

    def time_of(self, demand: Floats) -> Ints:
        """The second at which this much demand has passed; never the one at which the calendar ends."""
        seconds = np.interp(demand, self.demand, self.hours).astype(np.int64)
        capped: Ints = np.minimum(seconds, self.hours[-1] - 1)
        return capped

    def between(self, first: Ints, last: Ints, draw: np.random.Generator) -> Ints:
        """One random time in each interval, likelier where demand is higher."""
        low, high = self.demand_at(first), self.demand_at(last)
        return np.clip(self.time_of(low + draw.random(len(first)) * (high - low)), first, last)

    def same_day(self, seconds: Ints, draw: np.random.Generator) -> Ints:
        """A likely time of the same day."""
        midnight = seconds // DAY * DAY
        return self.between(midnight, midnight + DAY - 1, draw)


def calendar_of(plan: Plan) -> Calendar:
    hours = np.arange(plan.opens_at, plan.closes_at + 2, HOUR)
    demand = np.concatenate([[0.0], np.cumsum(_demand_in(hours[:-1]))])
    return Calendar(hours, demand)


def _demand_in(hours: Ints) -> Floats:
    month = hours.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64) % 12
    weekday = (hours // DAY + EPOCH_WEEKDAY) % 7
    by_hour: Floats = BY_MONTH[month] * BY_WEEKDAY[weekday] * BY_HOUR[hours % DAY // HOUR]
    return by_hour

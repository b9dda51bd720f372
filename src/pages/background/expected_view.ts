/** How often a job name is to run, ready to print. Pure. */
import { STALENESS } from "../../core/background/thresholds.ts";
import type { ExpectedName } from "../../web/background/one_name.ts";
import { timeText } from "../../web/forms/time_text.ts";
import { jobsLink } from "../../web/metrics/jobs_link.ts";
import { EXPECTED, expectedWords, sinceWords } from "./view.ts";

const PLAIN = [STALENESS.warningSeconds, STALENESS.badSeconds].map(timeText);

export function expectedModel(org: string, found: ExpectedName, now: number) {
  const { name, schedules, said, expectation, staleness } = found;
  return {
    ...{ org, name, kind: expectation.kind, judgement: staleness.judgement },
    figures: `/board/background?${new URLSearchParams({ org, name })}`,
    jobs: jobsLink({ org, name }),
    action: `${EXPECTED}?${new URLSearchParams({ org, name })}`,
    words: expectedWords(expectation, staleness, now),
    since: sinceWords(staleness),
    schedules: schedules.map((one) => ({
      ...{ name: one.name, href: `/board/service/schedules/${one.id}`, isPaused: one.is_paused },
      rule: `${one.cron} ${one.time_zone}`,
    })),
    said: said && {
      every: timeText(said.intervalSeconds),
      grace: timeText(said.graceSeconds ?? STALENESS.graceSeconds),
      ...{ at: said.at, by: said.by },
    },
    late: `after ${STALENESS.warningIntervals} of them without a success`,
    bad: `after ${STALENESS.badIntervals}`,
    plain: `late ${PLAIN[0]} after its last success, and bad after ${PLAIN[1]}`,
  };
}

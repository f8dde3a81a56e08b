import type { SinkLine } from "../../protocol/messages/sink-line.ts";
import { formatRate } from "../../words/format.ts";

type Limited = Pick<SinkLine, "limit">;
type LimitNow = NonNullable<Limited["limit"]>;

const FROM: Readonly<Record<LimitNow["from"], string>> = {
  option: "as it was started",
  order: "by order",
  timetable: "by its timetable",
};

/** The limit in words. */
export function limitText({ limit }: Limited): string {
  if (limit === undefined || limit.bytesPerSecond === null) return "no limit";
  return `at most ${formatRate(limit.bytesPerSecond)} on the wire, ${FROM[limit.from]}`;
}

/** Only where there is one: `limit 2.0 MiB/s on the wire`. The rate of content may be higher: it is compressed. */
export function limitMark({ limit }: Limited): string | undefined {
  const perSecond = limit?.bytesPerSecond;
  return perSecond === undefined || perSecond === null ? undefined : `limit ${formatRate(perSecond)} on the wire`;
}

import { futimesSync } from "node:fs";
import type { Native } from "../../lib/disk/native-calls.ts";
import type { Timestamp } from "../../protocol/frame/timestamp.ts";
import { factsOfOpen } from "../disk/file-facts.ts";
import { fileTime, storedAs } from "../metadata/file-time.ts";
import { EXACT_SCALE, nanosecondsOf, unitBetween } from "../metadata/time-scale.ts";
import type { FolderTraits } from "./folder-traits.ts";

/** An odd second, and nine digits after it: each unit of a file system makes something else of it. */
const PROBE_TIME: Timestamp = { seconds: 1_600_000_001, nanoseconds: 987_654_321 };
const FAR_SECONDS = 2 ** 52;

/** What becomes of times that are set. Where nothing that is known does, no time that a file shows speaks for it. */
export function probeTimes(fd: number, native: Native | undefined): Pick<FolderTraits, "scale" | "setsTimesTogether"> {
  /** What was asked for, as the calls at hand can say it, and what stands there then. */
  const ask = (time: Timestamp, isTogether: boolean): { readonly asked: bigint; readonly found: bigint } => {
    const value = fileTime(time);
    if (native === undefined) futimesSync(fd, value, value);
    else native.setTimes(fd, time, isTogether ? time : undefined);
    const asked = native === undefined ? storedAs(Number(value)) : time;
    return { asked: nanosecondsOf(asked), found: factsOfOpen(fd).mtimeNs };
  };
  for (const setsTimesTogether of native === undefined ? [false] : [false, true]) {
    const { asked, found } = ask(PROBE_TIME, setsTimesTogether);
    const unit = unitBetween(asked, found);
    if (unit === undefined) continue;
    const limit = (seconds: number): bigint | undefined => {
      const far = ask({ seconds, nanoseconds: 0 }, setsTimesTogether);
      return far.found === far.asked ? undefined : far.found;
    };
    return { scale: { unit, first: limit(-FAR_SECONDS), last: limit(FAR_SECONDS) }, setsTimesTogether };
  }
  return { scale: EXACT_SCALE, setsTimesTogether: false };
}

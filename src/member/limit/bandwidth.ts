import type { Clock } from "../../lib/clock.ts";
import { type AppliedLimit, sameLimit } from "../../protocol/bandwidth/applied-limit.ts";
import {
  constantPlan,
  LIMIT_DEFAULT,
  type LimitPlan,
  limitAt,
  readLimit,
  weekMinuteOf,
} from "../../protocol/bandwidth/limit-plan.ts";
import { Throttle } from "./throttle.ts";

/** How often a timetable is looked at: it changes at the minute, whatever was done to the clock since. */
const LOOK_MS = 1_000;

/** What a member is told of its limit: bytes a second, or a text as `--bwlimit` takes it. */
export interface BandwidthOptions {
  /**
   * Whole bytes a second at most, 1,024 or more; or a text: a rate such as `"20M"`, or a timetable such as `"08:00,2M 19:00,off"`, by the local
   * time of this machine. No limit when absent.
   */
  readonly bytesPerSecondMax?: number | string;
}

/** @throws FanfoldError `usage` */
export function limitPlanOf({ bytesPerSecondMax: limit }: BandwidthOptions): LimitPlan | undefined {
  if (typeof limit === "string") return readLimit(limit, "bytesPerSecondMax");
  return limit === undefined ? undefined : constantPlan(limit);
}

interface BandwidthParts {
  /** What this member was started with. */
  readonly option: LimitPlan | undefined;
  readonly clock: Clock;
  /** Another limit applies from now on; undefined when there is none, nor was one asked for. */
  readonly onChange: (applied: AppliedLimit | undefined) => void;
}

/** What a member may move a second: its option decides, unless who runs the coordinator has ordered something else. */
export class Bandwidth implements Disposable {
  readonly throttle: Throttle;
  readonly #parts: BandwidthParts;
  #order: LimitPlan | undefined;
  #applied: AppliedLimit | undefined;
  /** There while a timetable decides. */
  #timer: Disposable | undefined;

  constructor(parts: BandwidthParts) {
    this.#parts = parts;
    this.#applied = this.#now();
    this.throttle = new Throttle(this.#applied?.bytesPerSecond ?? null, parts.clock);
    this.#watch();
  }

  /** What applies now. */
  get applied(): AppliedLimit | undefined {
    return this.#applied;
  }

  /** Tells what applies from the beginning, if anything does. */
  begin(): void {
    if (this.#applied !== undefined) this.#parts.onChange(this.#applied);
  }

  /** Takes an order, or `default`: the option decides again. @throws FanfoldError `usage` */
  order(text: string): void {
    this.#order = text === LIMIT_DEFAULT ? undefined : readLimit(text, "an order");
    this.#watch();
    this.#look();
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  #watch(): void {
    this[Symbol.dispose]();
    const plan = this.#order ?? this.#parts.option;
    if (plan?.isTimetable === true) this.#timer = this.#parts.clock.every(LOOK_MS, () => this.#look());
  }

  #look(): void {
    const applied = this.#now();
    if (sameLimit(applied, this.#applied)) return;
    this.#applied = applied;
    this.throttle.change(applied?.bytesPerSecond ?? null);
    this.#parts.onChange(applied);
  }

  #now(): AppliedLimit | undefined {
    const { option, clock } = this.#parts;
    const plan = this.#order ?? option;
    if (plan === undefined) return undefined;
    const own = plan.isTimetable ? "timetable" : "option";
    return {
      bytesPerSecond: limitAt(plan, weekMinuteOf(clock.date())),
      from: this.#order === undefined ? own : "order",
    };
  }
}

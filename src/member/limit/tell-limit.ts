import type { AppliedLimit } from "../../protocol/bandwidth/applied-limit.ts";
import type { LimitEvent } from "../../protocol/messages/events.ts";
import type { SteadyLink } from "../steady-link.ts";

interface LimitHearers {
  readonly emit: (event: LimitEvent) => void;
  readonly link: Pick<SteadyLink, "send">;
}

/** Tells people and the coordinator to what this member holds itself. */
export function tellLimit(limit: AppliedLimit | undefined, { emit, link }: LimitHearers): void {
  const told = limit === undefined ? {} : { limit };
  emit({ type: "limit", ...told });
  link.send({ type: "limited", ...told });
}

import type { LiveTarget } from "../member/join.ts";
import { openTransports, type TransportsOptions } from "../member/session-transports.ts";
import { SUBSCRIBER_QUEUE_BYTES } from "../protocol/limits.ts";
import { type SessionSubjects, subjectsOf, upWildcard } from "../protocol/subjects.ts";
import type { Subscription, Transport } from "../transport/transport.ts";

/** A source's ends of the transport of one session. */
interface SourceTransports extends AsyncDisposable {
  readonly live: LiveTarget;
  readonly subjects: SessionSubjects;
  readonly data: Transport;
  /** What the sinks say; active. */
  readonly reports: Subscription;
}

/** @throws FanfoldError as `openTransports` does */
export async function openSourceTransports(options: Omit<TransportsOptions, "who">): Promise<SourceTransports> {
  const { welcome, signal } = options;
  const opened = await openTransports({ ...options, who: `source ${welcome.member.name}` });
  await using opening = new AsyncDisposableStack();
  for (const transport of [opened.reports, opened.bulk]) opening.defer(() => transport.close());
  const subjects = subjectsOf(welcome.sessionId);
  const queue = { signal, queueBytes: SUBSCRIBER_QUEUE_BYTES };
  const reports = await opened.reports.subscribe(upWildcard(subjects), queue);
  const closing = opening.move();
  return {
    live: opened.live,
    subjects,
    data: opened.bulk,
    reports,
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

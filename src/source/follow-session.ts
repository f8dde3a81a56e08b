import type { Ended, Welcome } from "../member/inbox.ts";
import type { LiveTarget } from "../member/join.ts";
import type { SteadyLink } from "../member/steady-link.ts";
import type { CommitTally } from "./commit.ts";
import type { SourceSession } from "./session/source-session.ts";

interface Followed {
  readonly session: SourceSession;
  /** Ids of the sinks whose connection to the coordinator stands. */
  readonly there: Set<string>;
  readonly live: LiveTarget;
  readonly tally: CommitTally;
}

/** Listens to the coordinator while the session runs, until it says that the session is over, or another one offered. */
export async function followSession(
  link: SteadyLink,
  { session, there, live, tally }: Followed,
): Promise<Ended | Welcome> {
  for (;;) {
    const message = await link.next();
    if (message.type === "welcome" && message.rejoined) continue;
    switch (message.type) {
      case "ended":
        if (message.decision !== undefined) tally.decided(message.decision);
        return message;
      case "welcome":
        return message;
      case "transport":
        live.renew(message.transport);
        break;
      case "left":
        there.delete(message.member.id);
        session.sinkLeft(message.member.id, message.code, message.reason);
        tally.look();
        break;
      case "joined":
        there.add(message.member.id);
        session.sinkJoined(message.member, message.restarted);
        break;
      case "decided":
        tally.decided(message.decision);
        break;
      case "switched":
        tally.switched(message.sinkId, message.at);
        break;
      default:
    }
  }
}

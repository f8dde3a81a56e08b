import type { Random } from "../../lib/random.ts";
import type { Role } from "../../protocol/messages/control.ts";
import { subjectsOf, toSubject, upSubject, upWildcard } from "../../protocol/subjects.ts";

/** What the holder of a ticket may do at the embedded relay. */
interface TicketRights {
  /** For logs: `sink alpha`. */
  readonly name: string;
  mayPublish(subject: string): boolean;
  maySubscribe(subject: string): boolean;
}

export interface TicketHolder {
  readonly memberId: string;
  readonly name: string;
  readonly role: Role;
  readonly sessionId: string;
}

/** 128 bits: not to be guessed. */
const TICKET_BYTES = 16;

/** Tickets of the members for the embedded relay: one each, for the session it was last welcomed to. */
export class Tickets {
  readonly #random: Random;
  readonly #rights = new Map<string, TicketRights>();
  readonly #ofMember = new Map<string, string>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** A new ticket; the member's earlier one is void for new connections. */
  issue(holder: TicketHolder): string {
    return this.load(holder, this.#random.hex(TICKET_BYTES));
  }

  /** The ticket that the member has: the links of its copy go on with it. A new one when it has none. */
  keep(holder: TicketHolder): string {
    return this.#ofMember.get(holder.memberId) ?? this.issue(holder);
  }

  /** Makes a ticket valid that was given out by the coordinator before this one. */
  load(holder: TicketHolder, ticket: string): string {
    this.revoke(holder.memberId);
    this.#rights.set(ticket, rightsOf(holder));
    this.#ofMember.set(holder.memberId, ticket);
    return ticket;
  }

  revoke(memberId: string): void {
    const ticket = this.#ofMember.get(memberId);
    if (ticket === undefined) return;
    this.#ofMember.delete(memberId);
    this.#rights.delete(ticket);
  }

  authorize(ticket: string): TicketRights | undefined {
    return this.#rights.get(ticket);
  }
}

/** A source speaks to its sinks and hears their reports; a sink hears the source and reports. Nothing else [P-2.3]. */
export function rightsOf(holder: TicketHolder): TicketRights {
  const subjects = subjectsOf(holder.sessionId);
  const name = `${holder.role} ${holder.name}`;
  if (holder.role === "source") {
    return {
      name,
      mayPublish: (subject) => subject === subjects.data || /^[a-z0-9]+$/.test(afterPrefix(subject, subjects.toPrefix)),
      maySubscribe: (subject) => subject === upWildcard(subjects),
    };
  }
  return {
    name,
    mayPublish: (subject) => subject === upSubject(subjects, holder.memberId),
    maySubscribe: (subject) => subject === subjects.data || subject === toSubject(subjects, holder.memberId),
  };
}

function afterPrefix(subject: string, prefix: string): string {
  return subject.startsWith(prefix) ? subject.slice(prefix.length) : "";
}

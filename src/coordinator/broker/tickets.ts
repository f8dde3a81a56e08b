import type { Random } from "../../lib/random.ts";
import { FRAME_BYTES_MAX } from "../../protocol/limits.ts";
import type { Role } from "../../protocol/messages/control.ts";
import { SEALED_UP_BYTES_MAX } from "../../protocol/seal/report-seal.ts";
import { subjectsOf, toSubject, upSubject, upWildcard } from "../../protocol/subjects.ts";
import { parseTicket, TICKET_BYTES } from "../../transport/embedded/handshake.ts";
import type { RelayPermissions, TicketFacts } from "../../transport/embedded/relay.ts";

export interface TicketHolder {
  readonly memberId: string;
  /** Public key of the member, which is the same in all its sessions. */
  readonly identity: string;
  readonly name: string;
  readonly role: Role;
  readonly sessionId: string;
}

/**
 * Tickets of the members for the embedded relay: one each, for the session it was last welcomed to. Their secrets are here
 * as long as they are valid.
 */
export class Tickets {
  readonly #random: Random;
  /** By the id of the ticket. */
  readonly #facts = new Map<string, TicketFacts>();
  readonly #ofMember = new Map<string, string>();
  /** Sessions that run, and are not known to be sealed. */
  readonly #open = new Set<string>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** A new ticket; the member's earlier one is void for new connections. */
  issue(holder: TicketHolder): string {
    const ticket = this.#random.hex(TICKET_BYTES);
    this.load(holder, ticket);
    return ticket;
  }

  /** The ticket that the member has: the links of its copy go on with it. A new one when it has none. */
  keep(holder: TicketHolder): string {
    return this.#ofMember.get(holder.memberId) ?? this.issue(holder);
  }

  /** Makes a ticket valid that was given out by the coordinator before this one. What is no ticket is none. */
  load(holder: TicketHolder, ticket: string): void {
    this.revoke(holder.memberId);
    const parsed = parseTicket(ticket);
    if (parsed === undefined) return;
    const { id, secret } = parsed;
    this.#facts.set(id, { secret, rights: this.#rightsOf(holder) });
    this.#ofMember.set(holder.memberId, ticket);
  }

  revoke(memberId: string): void {
    const ticket = parseTicket(this.#ofMember.get(memberId) ?? "");
    if (ticket === undefined) return;
    this.#ofMember.delete(memberId);
    this.#facts.delete(ticket.id);
  }

  /** A session begins, or goes on: whether all of it is known to be sealed. */
  begin(sessionId: string, isSealed: boolean): void {
    if (isSealed) this.#open.delete(sessionId);
    else this.#open.add(sessionId);
  }

  over(sessionId: string): void {
    this.#open.delete(sessionId);
  }

  /** Whether a session may be carried where others can read: all of it is sealed, as far as is known. */
  mayBeExposed(sessionId: string): boolean {
    return !this.#open.has(sessionId);
  }

  find(ticketId: string): TicketFacts | undefined {
    return this.#facts.get(ticketId);
  }

  #rightsOf(holder: TicketHolder): RelayPermissions {
    return { ...rightsOf(holder), mayBeExposed: () => this.mayBeExposed(holder.sessionId) };
  }
}

/** A source speaks to its sinks and hears their reports; a sink hears the source and reports. Nothing else [P-2.3]. */
function rightsOf(holder: TicketHolder): Omit<RelayPermissions, "mayBeExposed"> {
  const subjects = subjectsOf(holder.sessionId);
  const name = `${holder.role} ${holder.name}`;
  const owner = holder.memberId;
  if (holder.role === "source") {
    return {
      owner,
      name,
      messageBytesMax: FRAME_BYTES_MAX,
      mayPublish: (subject) => subject === subjects.data || /^[a-z0-9]+$/.test(afterPrefix(subject, subjects.toPrefix)),
      maySubscribe: (subject) => subject === upWildcard(subjects),
    };
  }
  return {
    owner,
    name,
    // There are many sinks, and each may hold a message of this size back.
    messageBytesMax: SEALED_UP_BYTES_MAX,
    mayPublish: (subject) => subject === upSubject(subjects, holder.memberId),
    maySubscribe: (subject) => subject === subjects.data || subject === toSubject(subjects, holder.memberId),
  };
}

function afterPrefix(subject: string, prefix: string): string {
  return subject.startsWith(prefix) ? subject.slice(prefix.length) : "";
}

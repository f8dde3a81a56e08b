/**
 * How a client and the relay prove to each other that they have the same ticket [P-2.3]. Its secret never travels. Pure.
 *
 *   client   greeting   ff "fanfold" 02                            9 bytes
 *   relay    challenge  nonce(32)                                 32 bytes
 *   client   answer     ticket id(8) nonce(32) proof(32)          72 bytes
 *   relay    verdict    00 proof(32), or one byte that refuses    33 bytes, or 1
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { FanfoldError } from "../../lib/errors.ts";

/** No TLS connection and no HTTP request begins by its first byte. The last one is the version. */
export const GREETING: Uint8Array = Buffer.from("\xfffanfold\x02", "latin1");
export const NONCE_BYTES = 32;
const TICKET_ID_BYTES = 8;
/** 128 bits: not to be guessed. */
const TICKET_SECRET_BYTES = 16;
const PROOF_BYTES = 32;
const ANSWER_BYTES = TICKET_ID_BYTES + NONCE_BYTES + PROOF_BYTES;
const CONTEXT = "fanfold relay 2";

/** What names a ticket, and what only the coordinator and its member know of it. */
export interface Ticket {
  /** Lower-case hex. */
  readonly id: string;
  readonly secret: Uint8Array;
}

/** Of a text that `parseTicket` reads. */
export const TICKET_BYTES = TICKET_ID_BYTES + TICKET_SECRET_BYTES;
const TICKET = new RegExp(`^[0-9a-f]{${2 * TICKET_BYTES}}$`);

/** Undefined for what is no ticket. */
export function parseTicket(text: string): Ticket | undefined {
  if (!TICKET.test(text)) return undefined;
  const at = 2 * TICKET_ID_BYTES;
  return { id: text.slice(0, at), secret: Buffer.from(text.slice(at), "hex") };
}

/** Why the relay lets a client not in, by the byte that says so. */
const REFUSALS = { denied: 1, full: 2 } as const;
export type LinkRefusal = keyof typeof REFUSALS;

const ACCEPTED = 0;

export function refusalOf(why: LinkRefusal): Uint8Array {
  return Uint8Array.of(REFUSALS[why]);
}

interface Nonces {
  readonly client: Uint8Array;
  readonly relay: Uint8Array;
}

/** All parts but the side have one length each, so no two inputs are the same. A side is never taken for the other. */
function proofOf({ id, secret }: Ticket, side: "client" | "relay", nonces: Nonces): Buffer {
  return createHmac("sha256", secret)
    .update(`${CONTEXT}\0${side}\0`)
    .update(id, "hex")
    .update(nonces.relay)
    .update(nonces.client)
    .digest();
}

interface ClientHandshakeOptions {
  /** As the coordinator gave it. */
  readonly ticket: string;
  /** NONCE_BYTES that were never used. */
  readonly nonce: Uint8Array;
}

/** The client's side, in any chunking. It sends `GREETING` first. */
export class ClientHandshake {
  readonly #ticket: Ticket;
  readonly #nonce: Uint8Array;
  #received: Uint8Array = new Uint8Array();
  #challenge: Uint8Array | undefined;

  /** @throws FanfoldError `broker-denied` when the ticket cannot be one */
  constructor({ ticket, nonce }: ClientHandshakeOptions) {
    const parsed = parseTicket(ticket);
    if (parsed === undefined)
      throw new FanfoldError(
        "broker-denied",
        "cannot connect to the relay: the ticket does not have the form of a ticket",
      );
    this.#ticket = parsed;
    this.#nonce = nonce;
  }

  /**
   * Takes what came. Returns what is to be sent for it; or what came behind the verdict, when that is there and good.
   *
   * @throws FanfoldError `broker-denied`, or `broker-unreachable` when the other side is not this coordinator's relay
   */
  push(chunk: Uint8Array): { readonly send: Uint8Array } | { readonly rest: Uint8Array } | undefined {
    this.#received = Buffer.concat([this.#received, chunk]);
    return this.#challenge === undefined ? this.#answer() : this.#judge(this.#challenge);
  }

  #answer(): { readonly send: Uint8Array } | undefined {
    if (this.#received.length < NONCE_BYTES) return undefined;
    // Nobody who waits for an answer says more.
    if (this.#received.length > NONCE_BYTES) throw notTheRelay("more than a challenge");
    this.#challenge = this.#received;
    this.#received = new Uint8Array();
    const proof = proofOf(this.#ticket, "client", { client: this.#nonce, relay: this.#challenge });
    return { send: Buffer.concat([Buffer.from(this.#ticket.id, "hex"), this.#nonce, proof]) };
  }

  #judge(challenge: Uint8Array): { readonly rest: Uint8Array } | undefined {
    const [status] = this.#received;
    if (status === undefined) return undefined;
    if (status === REFUSALS.denied)
      throw new FanfoldError("broker-denied", "cannot connect to the relay: it refused the ticket of this client");
    if (status === REFUSALS.full)
      throw new FanfoldError("broker-unreachable", "cannot connect to the relay: it takes no clients now");
    if (status !== ACCEPTED) throw notTheRelay(`a verdict of ${status}`);
    if (this.#received.length <= PROOF_BYTES) return undefined;
    const proof = this.#received.subarray(1, 1 + PROOF_BYTES);
    const wanted = proofOf(this.#ticket, "relay", { client: this.#nonce, relay: challenge });
    if (!timingSafeEqual(proof, wanted)) throw notTheRelay("a wrong proof");
    return { rest: this.#received.subarray(1 + PROOF_BYTES) };
  }
}

function notTheRelay(found: string): FanfoldError {
  return new FanfoldError(
    "broker-unreachable",
    `cannot connect to the relay: found ${found}; want the relay of this coordinator there`,
  );
}

interface RelayHandshakeOptions<Rights> {
  /** NONCE_BYTES that were never used. */
  readonly nonce: Uint8Array;
  /** The secret of the ticket of this id, and what it is good for. */
  readonly find: (ticketId: string) => { readonly secret: Uint8Array; readonly rights: Rights } | undefined;
}

/** What a client has proven, and the verdict that lets it in. */
interface ProvenClient<Rights> {
  readonly rights: Rights;
  readonly verdict: Uint8Array;
}

/** The relay's side, in any chunking. */
export class RelayHandshake<Rights> {
  readonly #options: RelayHandshakeOptions<Rights>;
  #received: Uint8Array = new Uint8Array();
  #isGreeted = false;

  constructor(options: RelayHandshakeOptions<Rights>) {
    this.#options = options;
  }

  /**
   * Takes what came. Returns what is to be sent for it, what the client has proven, or why it is not let in. `damaged`: it
   * is no client of a relay, and gets no answer.
   */
  push(chunk: Uint8Array): { readonly send: Uint8Array } | ProvenClient<Rights> | "denied" | "damaged" | undefined {
    this.#received = Buffer.concat([this.#received, chunk]);
    return this.#isGreeted ? this.#judge() : this.#greet();
  }

  #greet(): { readonly send: Uint8Array } | "damaged" | undefined {
    const { length } = this.#received;
    if (!GREETING.subarray(0, length).every((byte, at) => byte === this.#received[at])) return "damaged";
    if (length < GREETING.length) return undefined;
    if (length > GREETING.length) return "damaged";
    this.#isGreeted = true;
    this.#received = new Uint8Array();
    return { send: this.#options.nonce };
  }

  #judge(): ProvenClient<Rights> | "denied" | "damaged" | undefined {
    const answer = Buffer.from(this.#received);
    if (answer.length < ANSWER_BYTES) return undefined;
    // What follows would be of somebody who does not know yet whether the other side is the relay.
    if (answer.length > ANSWER_BYTES) return "damaged";
    const id = answer.toString("hex", 0, TICKET_ID_BYTES);
    const nonces = {
      relay: this.#options.nonce,
      client: answer.subarray(TICKET_ID_BYTES, TICKET_ID_BYTES + NONCE_BYTES),
    };
    const found = this.#options.find(id);
    // Whether the id or the proof is wrong, nobody learns, also not by the time.
    const ticket = { id, secret: found?.secret ?? new Uint8Array(TICKET_SECRET_BYTES) };
    const isProven = timingSafeEqual(answer.subarray(-PROOF_BYTES), proofOf(ticket, "client", nonces));
    if (found === undefined || !isProven) return "denied";
    const verdict = Buffer.concat([Uint8Array.of(ACCEPTED), proofOf(ticket, "relay", nonces)]);
    return { rights: found.rights, verdict };
  }
}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { WebSocket } from "ws";
import { systemClock } from "../../src/lib/clock.ts";
import type { SigningKey } from "../../src/lib/crypto/signing-key.ts";
import { ServerTrust } from "../../src/lib/tls/server-trust.ts";
import { signedHello } from "../../src/member/credential.ts";
import { PROTOCOL_VERSION } from "../../src/protocol/limits.ts";
import { encodeControl, type Hello } from "../../src/protocol/messages/control.ts";
import { connectTransport } from "../../src/transport/connect.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { ControlClient } from "../coordinator/control-client.ts";
import type { GuardedCoordinator } from "../e2e/access/guarded.ts";
import { firstTokens } from "../helpers/processes/tokens.ts";

interface Claim {
  readonly key: SigningKey;
  readonly token?: string;
  readonly former?: string;
  readonly role?: "source" | "sink";
  readonly session?: string;
  readonly label?: string;
  /** By default that of this coordinator. */
  readonly pin?: string;
  readonly nonce: string;
}

let addresses = 0;

/** Of this machine: from there nobody has failed before, which would slow the answers. */
function newAddress(): string {
  addresses += 1;
  return `127.66.0.${addresses}`;
}

/** Somebody with a program of its own. It reaches a coordinator that runs, and says what it likes. */
export class Intruder implements AsyncDisposable {
  readonly at: GuardedCoordinator;
  readonly certificate: string;
  readonly pin: string;
  readonly #open: (() => unknown)[] = [];

  private constructor(at: GuardedCoordinator, certificate: string, pin: string) {
    this.at = at;
    this.certificate = certificate;
    this.pin = pin;
  }

  static async at(coordinator: GuardedCoordinator): Promise<Intruder> {
    const { sink } = await firstTokens(coordinator.stateDir);
    const certificate = readFileSync(join(coordinator.stateDir, "tls-certificate.pem"), "utf8");
    return new Intruder(coordinator, certificate, sink.split("_")[2] ?? "");
  }

  /** For a TLS connection to the coordinator that is verified; by default from an address that nobody had before. */
  reach(localAddress = newAddress()) {
    return {
      ...{ host: "127.0.0.1", port: this.at.port, localAddress },
      ...{ ca: this.certificate, allowPartialTrustChain: true, checkServerIdentity: () => undefined },
    };
  }

  /** A control channel on which only the challenge was read. */
  async knock(from?: string): Promise<ControlClient> {
    const socket = new WebSocket(`wss://127.0.0.1:${this.at.port}/control`, this.reach(from));
    const client = new ControlClient(socket);
    this.#open.push(() => client[Symbol.dispose]());
    client.nonce = (await client.expect("challenge")).nonce;
    return client;
  }

  hello({ key, token, former, role = "sink", session = "default", label = "intruder", pin = this.pin, nonce }: Claim) {
    const draft = { type: "hello", version: PROTOCOL_VERSION, role, session, label, labelAsked: false } as const;
    return signedHello(draft, { key, token, former }, { nonce, pin, timeMs: Date.now() });
  }

  /** Is let in, and knows how to reach the broker. */
  async join(claim: Omit<Claim, "nonce">) {
    const control = await this.knock();
    control.raw(encodeControl(this.hello({ ...claim, nonce: control.nonce })));
    const { member, sessionId, transport } = await control.expect("welcome");
    return { control, member, sessionId, transport };
  }

  /** The same, and has a ticket for the relay. */
  async enter(claim: Omit<Claim, "nonce">) {
    const { transport, ...entered } = await this.join(claim);
    if (transport.kind !== "embedded") throw new Error("want the embedded relay");
    return { ...entered, ticket: transport.ticket };
  }

  /** What the coordinator answers to a `hello`: a code, or `welcome`. */
  async answerTo(made: (nonce: string) => Hello, from?: string): Promise<string> {
    const control = await this.knock(from);
    control.raw(encodeControl(made(control.nonce)));
    for (;;) {
      const answer = await control.next();
      if (answer.type === "refused") return answer.code;
      if (answer.type !== "hold") return answer.type;
    }
  }

  /** A link to the relay with this ticket. @throws FanfoldError */
  async relay(ticket: string): Promise<Transport> {
    const tls = new ServerTrust({ pin: this.pin, certificate: this.certificate });
    const target = { kind: "embedded", host: "127.0.0.1", port: this.at.port, ticket, tls } as const;
    const options = { clientName: "intruder", clock: systemClock, signal: AbortSignal.timeout(60_000) };
    const transport = await connectTransport(target, options);
    this.#open.push(() => transport.close());
    return transport;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#open.map((close) => close()));
  }
}

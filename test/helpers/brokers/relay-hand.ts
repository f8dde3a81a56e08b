import { connect, type Socket } from "node:net";
import {
  ClientHandshake,
  GREETING,
  NONCE_BYTES,
  parseTicket,
  RelayHandshake,
} from "../../../src/transport/embedded/handshake.ts";

/** A link to a relay that a test leads by hand. */
export interface HandLink {
  readonly socket: Socket;
  /** Everything that came after the handshake, when the relay has ended the connection. */
  readonly rest: Promise<Buffer>;
}

/** Connects and proves a ticket, without TLS. @throws FanfoldError as `ClientHandshake` does */
export async function handLink(port: number, ticket: string): Promise<HandLink> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  const handshake = new ClientHandshake({ ticket, nonce: Buffer.alloc(NONCE_BYTES, 7) });
  const received: Buffer[] = [];
  const rest = new Promise<Buffer>((resolve) => {
    socket.on("close", () => resolve(Buffer.concat(received)));
  });
  await new Promise<void>((resolve, reject) => {
    socket.on("close", () => reject(new Error("the relay ended the connection")));
    const shake = (chunk: Buffer): void => {
      try {
        const step = handshake.push(chunk);
        if (step === undefined) return;
        if ("send" in step) socket.write(step.send);
        else {
          received.push(Buffer.from(step.rest));
          socket.off("data", shake);
          socket.on("data", (bytes) => received.push(bytes));
          resolve();
        }
      } catch (thrown) {
        socket.destroy();
        reject(thrown);
      }
    };
    socket.on("data", shake);
    socket.write(GREETING);
  });
  return { socket, rest };
}

/** Answers a client as the relay does that knows its ticket. What happens from its verdict on is the test's concern. */
export function answerAsRelay(socket: Socket, ticket: string, proven: (verdict: Uint8Array) => void): void {
  const secret = parseTicket(ticket)?.secret ?? Buffer.alloc(0);
  const handshake = new RelayHandshake({
    nonce: Buffer.alloc(NONCE_BYTES, 9),
    find: () => ({ secret, rights: "all" }),
  });
  const shake = (chunk: Buffer): void => {
    const step = handshake.push(chunk);
    if (typeof step === "string") socket.destroy();
    else if (step !== undefined && "send" in step) socket.write(step.send);
    else if (step !== undefined) {
      socket.off("data", shake);
      proven(step.verdict);
    }
  };
  socket.on("data", shake);
}

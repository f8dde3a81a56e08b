import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { FrameDecoder } from "../../src/transport/embedded/frame-decoder.ts";
import { GREETING } from "../../src/transport/embedded/handshake.ts";
import {
  type ControlFrame,
  type DataHead,
  encodeControl,
  encodeHead,
  type Side,
} from "../../src/transport/embedded/wire.ts";

type Message = DataHead & { readonly payload: Buffer };
export type RelayFrame = ControlFrame | Message;

/** What comes out for each frame that goes in. */
export type Tamper = (frame: RelayFrame, from: Side) => readonly RelayFrame[];

export interface RelayMiddle {
  readonly port: number;
  /** By how their first bytes were read, all links that there were. */
  readonly links: { plain: number; tls: number };
  /** Frames that were read, by what they are. */
  readonly seen: Map<RelayFrame["op"], number>;
  /** All bytes of the links without TLS, their handshakes too. */
  readonly heard: Buffer[];
  close(): Promise<void>;
}

/** Bytes of the handshake that each side sends before its frames. */
const HANDSHAKE_BYTES: Readonly<Record<Side, number>> = { client: GREETING.length + 72, relay: 32 + 33 };

/** Somebody on the path, who passes on each link, and reads and changes the frames of those without TLS. */
export async function startRelayMiddle(targetPort: number, tamper: Tamper): Promise<RelayMiddle> {
  const sockets = new Set<Socket>();
  const links = { plain: 0, tls: 0 };
  const seen: RelayMiddle["seen"] = new Map();
  const heard: Buffer[] = [];
  const server = createServer((client) => {
    const target = connect(targetPort, "127.0.0.1");
    for (const [socket, other] of [
      [client, target],
      [target, client],
    ] as const) {
      sockets.add(socket.setNoDelay(true));
      socket.on("error", () => other.destroy());
      socket.on("close", () => other.destroy());
    }
    client.once("data", (first) => {
      const isPlain = first[0] === GREETING[0];
      links[isPlain ? "plain" : "tls"] += 1;
      const take = (frame: RelayFrame, from: Side): readonly RelayFrame[] => {
        seen.set(frame.op, (seen.get(frame.op) ?? 0) + 1);
        return tamper(frame, from);
      };
      const way = (from: Side, to: Socket) => (isPlain ? readWay(from, to, take) : (bytes: Buffer) => to.write(bytes));
      const [up, down] = [way("client", target), way("relay", client)];
      const hear = (pass: (bytes: Buffer) => unknown) => (bytes: Buffer) => {
        if (isPlain) heard.push(Buffer.from(bytes));
        pass(bytes);
      };
      hear(up)(first);
      client.on("data", hear(up));
      target.on("data", hear(down));
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    ...{ links, seen, heard },
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => void server.close(() => resolve()));
    },
  };
}

/** Reads one way of a link, and writes what is made of it. */
function readWay(from: Side, to: Socket, tamper: Tamper): (bytes: Buffer) => void {
  let handshakeLeft = HANDSHAKE_BYTES[from];
  let [head, pieces]: [DataHead | undefined, Buffer[]] = [undefined, []];
  const pass = (frame: RelayFrame): void => {
    for (const each of tamper(frame, from)) to.write(encode(each));
  };
  const decoder = new FrameDecoder(from, {
    control: pass,
    begin: (begun) => {
      [head, pieces] = [begun, []];
    },
    payload: (bytes) => pieces.push(Buffer.from(bytes)),
    end: () => {
      if (head !== undefined) pass({ ...head, payload: Buffer.concat(pieces) });
    },
  });
  return (bytes) => {
    const early = bytes.subarray(0, handshakeLeft);
    if (early.length > 0) to.write(early);
    handshakeLeft -= early.length;
    if (bytes.length > early.length) decoder.push(bytes.subarray(early.length));
  };
}

function encode(frame: RelayFrame): Buffer {
  if (!("payload" in frame)) return encodeControl(frame);
  return Buffer.concat([encodeHead({ ...frame, payloadBytes: frame.payload.length }), frame.payload]);
}

import { onTestFinished } from "vitest";
import type { Coordinator } from "../../src/coordinator/open-coordinator.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { finishFrame } from "../../src/protocol/frame/frame.ts";
import type { Hello } from "../../src/protocol/messages/control.ts";
import { subjectsOf, toSubject, upSubject } from "../../src/protocol/subjects.ts";
import { connectTransport } from "../../src/transport/connect.ts";
import type { Transport } from "../../src/transport/transport.ts";
import type { ControlClient } from "../coordinator/control-client.ts";
import { clientOf } from "../coordinator/coordinator-fixture.ts";
import { SESSION } from "../helpers/copies/source-frames.ts";

/** A member in the hands of a test: let in by a real coordinator, connected to its relay, and free to say anything. */
export interface HostileMember {
  readonly control: ControlClient;
  readonly transport: Transport;
  readonly sessionId: string;
  readonly id: string;
  publish(subject: string, payload: Uint8Array): Promise<void>;
}

const SESSION_OFFSET = 4;
const EPOCH_OFFSET = 16;

export async function hostileMember(
  coordinator: Coordinator,
  role: "source" | "sink",
  hello: Partial<Hello> = {},
): Promise<HostileMember> {
  const control = await clientOf(coordinator);
  control.hello(role, hello);
  const { sessionId, member, transport: offer } = await control.expect("welcome");
  if (offer.kind !== "embedded") throw new Error("want the embedded relay");
  const { signal } = new AbortController();
  const target = { kind: "embedded", host: "127.0.0.1", port: coordinator.port, ticket: offer.ticket } as const;
  const transport = await connectTransport(target, { clientName: "hostile", clock: systemClock, signal });
  onTestFinished(() => transport.close());
  control.ready();
  return {
    ...{ control, transport, sessionId, id: member.id },
    publish: (subject, payload) => transport.publish(subject, payload, { signal }),
  };
}

/** A frame of another session's making as one of this session: its number and its place in the stream. */
export function asOf(sessionId: string, payload: Uint8Array, sequence: number, epoch: number = SESSION.epoch): Buffer {
  const frame = Buffer.from(payload);
  frame.write(sessionId, SESSION_OFFSET, "latin1");
  frame.writeUInt32BE(epoch, EPOCH_OFFSET);
  finishFrame(frame, sequence);
  return frame;
}

export const dataSubject = (sessionId: string): string => subjectsOf(sessionId).data;
export const sinkSubject = (sessionId: string, id: string): string => toSubject(subjectsOf(sessionId), id);
export const upSubjectOf = (sessionId: string, id: string): string => upSubject(subjectsOf(sessionId), id);

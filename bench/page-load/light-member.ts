import { systemClock } from "../../src/lib/clock.ts";
import { STREAM_DATA } from "../../src/protocol/frame/frame.ts";
import type { UpMessage } from "../../src/protocol/frame/report.ts";
import { encodeUp } from "../../src/protocol/frame/up.ts";
import type { CopyProgress } from "../../src/protocol/messages/progress.ts";
import { subjectsOf, upSubject } from "../../src/protocol/subjects.ts";
import { connectTransport } from "../../src/transport/connect.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { ControlClient } from "../../test/coordinator/control-client.ts";

const MIB = 1024 * 1024;

/** How far a copy of a session is that never was: the whole, and a share of it. */
export interface MadeUpCopy {
  readonly files: number;
  readonly bytes: number;
  readonly share: number;
  readonly elapsedMs: number;
}

/** A sink that is let in, connects to the relay and reports, and stores nothing. */
export class LightSink implements AsyncDisposable {
  readonly #control: ControlClient;
  readonly #transport: Transport;
  readonly #place: { readonly sessionId: string; readonly id: string };
  #sequence = 0;

  private constructor(control: ControlClient, transport: Transport, place: { sessionId: string; id: string }) {
    this.#control = control;
    this.#transport = transport;
    this.#place = place;
  }

  static async join(port: number, session: string, label: string): Promise<LightSink> {
    const control = await ControlClient.connect(port);
    const free = { freeBytes: 400_000 * MIB, sizeBytes: 500_000 * MIB };
    control.hello("sink", { session, label, software: "fanfold 0.1.0", free });
    const { sessionId, member, transport: offer } = await control.expect("welcome");
    if (offer.kind !== "embedded") throw new Error("want the embedded relay");
    const { signal } = new AbortController();
    const target = { kind: "embedded", host: "127.0.0.1", port, ticket: offer.ticket } as const;
    const transport = await connectTransport(target, { clientName: label, clock: systemClock, signal });
    control.ready();
    return new LightSink(control, transport, { sessionId, id: member.id });
  }

  /** Resolves when the copy begins. */
  async started(): Promise<void> {
    while ((await this.#control.next()).type !== "start");
  }

  async report({ files, bytes, share }: MadeUpCopy): Promise<void> {
    const { sessionId, id } = this.#place;
    const filesDone = Math.floor(files * share);
    const progress = { filesDone, bytesDone: Math.floor(bytes * share), currentFile: fileName(filesDone) };
    const message: UpMessage = {
      type: "report",
      receivedUpTo: filesDone,
      missing: [],
      storedUpTo: filesDone,
      progress,
    };
    const frame = encodeUp({ sessionId, epoch: 1, stream: STREAM_DATA, sequence: this.#sequence, message });
    this.#sequence += 1;
    const { signal } = new AbortController();
    await this.#transport.publish(upSubject(subjectsOf(sessionId), id), frame, { signal });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport.close();
    this.#control[Symbol.dispose]();
  }
}

/** A source that is let in and tells how far it is, and sends nothing. */
export class LightSource implements Disposable {
  readonly #control: ControlClient;

  private constructor(control: ControlClient) {
    this.#control = control;
  }

  static async join(port: number, session: string, destCount: number): Promise<LightSource> {
    const control = await ControlClient.connect(port);
    await control.enter("source", { session, label: `source of ${session}`, destCount });
    return new LightSource(control);
  }

  tell({ files, bytes, share, elapsedMs }: MadeUpCopy): void {
    const bytesDone = Math.floor(bytes * share);
    const progress: CopyProgress = {
      filesFound: files,
      filesDone: Math.floor(files * share),
      bytesFound: bytes,
      bytesDone,
      discoveryEnded: true,
      bytesUnchanged: 0,
      bytesKept: 0,
      bytesSent: bytesDone,
      bytesSentAgain: 0,
      bytesCaughtUp: 0,
      currentFile: fileName(Math.floor(files * share)),
      rateBytesPerSecond: (bytesDone * 1000) / Math.max(1, elapsedMs),
      elapsedMs,
    };
    this.#control.raw(JSON.stringify({ type: "progress", progress }));
  }

  [Symbol.dispose](): void {
    this.#control[Symbol.dispose]();
  }
}

function fileName(number: number): string {
  return `photos/2026/summer/IMG_${String(number).padStart(5, "0")}.raw`;
}

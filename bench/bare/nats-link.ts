import { systemClock } from "../../src/lib/clock.ts";
import { openNats } from "../../src/transport/nats/open-nats.ts";
import type { BareLink } from "./loop.ts";

/** The library asks for nothing before its next publish, so it is asked to flush behind every MiB. */
const FLUSH_EVERY_BYTES = 1024 * 1024;

export async function openNatsLink(url: string, id: string): Promise<BareLink> {
  const { signal } = new AbortController();
  const { connection } = await openNats({ kind: "nats", url }, { clientName: "bare loop", clock: systemClock, signal });
  let unflushedBytes = 0;
  return {
    publish(to, payload) {
      connection.publish(`bare.${id}.${to}`, payload);
      unflushedBytes += payload.byteLength;
      if (unflushedBytes < FLUSH_EVERY_BYTES) return;
      unflushedBytes = 0;
      void connection.flush();
    },
    async subscribe(to, take) {
      connection.subscribe(`bare.${id}.${to}`, {
        callback: (fault, message) => {
          if (fault !== null) throw fault;
          take(message.data);
        },
      });
      await connection.flush();
    },
    async close() {
      await connection.drain();
    },
  };
}

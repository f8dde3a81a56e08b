import { systemClock } from "../../../src/lib/clock.ts";
/**
 * A process of its own that uses a transport until it is killed: node transport-client.ts <kind> <url> <subject>.
 * It prints "ready" when it has subscribed and published.
 */
import { connectTransport } from "../../../src/transport/connect.ts";

const [, , kind = "", url = "", subject = ""] = process.argv;
const { signal } = new AbortController();
const transport = await connectTransport(
  { kind: kind as "nats" | "amqp", url },
  { clientName: "to be killed", clock: systemClock, signal },
);
const subscription = await transport.subscribe(subject, { signal, queueBytes: 1024 * 1024 });
await transport.publish(subject, Buffer.from("hello"), { signal });
for await (const message of subscription) process.stdout.write(message.payload.byteLength > 0 ? "ready\n" : "");

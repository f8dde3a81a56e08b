import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A local TCP proxy whose links can be stalled, cut or slowed, so that a test makes a broken network instead of sleeping. */
export interface TcpProxy {
  readonly port: number;
  /** What came from the target, over all links together. */
  readonly bytesFromTarget: number;
  /** Takes no more bytes from clients; what they send fills the buffers of the kernel and then holds them. */
  stallFromClients(): void;
  /** Takes no more bytes from the target. */
  stallFromTarget(): void;
  resume(): void;
  /** Destroys every link that is open; new ones are accepted. */
  cut(): void;
  /** Destroys every link, and every new one at once, until `up`. */
  down(): void;
  up(): void;
  /** Lets so many bytes a second through from the target, over all links together; undefined: as many as come. */
  throttle(bytesPerSecond: number | undefined): void;
  /** The same for what comes from clients. */
  throttleClients(bytesPerSecond: number | undefined): void;
  close(): Promise<void>;
}

interface Link {
  readonly client: Socket;
  readonly target: Socket;
}

/** @param saw is told all bytes that go through; each way of each link has a name of its own */
export async function startTcpProxy(
  targetPort: number,
  targetHost = "127.0.0.1",
  saw: (way: string, bytes: Buffer) => void = () => undefined,
): Promise<TcpProxy> {
  const links = new Set<Link>();
  let clientsStalled = false;
  let targetStalled = false;
  let isDown = false;
  const [fromTarget, fromClients] = [newRate(), newRate()];
  let bytesFromTarget = 0;
  let linkCount = 0;

  const server = createServer((client) => {
    if (isDown) {
      client.on("error", () => undefined);
      client.destroy();
      return;
    }
    const target = connect(targetPort, targetHost);
    linkCount += 1;
    const name = `link ${linkCount}`;
    const link = { client, target };
    links.add(link);
    const end = (): void => {
      links.delete(link);
      client.destroy();
      target.destroy();
    };
    for (const socket of [client, target]) {
      socket.setNoDelay(true);
      socket.on("error", end);
      socket.on("close", end);
    }
    client.on("data", (bytes) => {
      saw(`${name} to the target`, bytes);
      if (!target.write(bytes)) client.pause();
      slow(client, bytes.length, fromClients, () => clientsStalled);
    });
    target.on("data", (bytes) => {
      saw(`${name} from the target`, bytes);
      bytesFromTarget += bytes.length;
      if (!client.write(bytes)) target.pause();
      slow(target, bytes.length, fromTarget, () => targetStalled);
    });
    target.on("drain", () => {
      if (!clientsStalled) client.resume();
    });
    client.on("drain", () => {
      if (!targetStalled) target.resume();
    });
    if (clientsStalled) client.pause();
    if (targetStalled) target.pause();
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });

  const cut = (): void => {
    for (const { client, target } of links) {
      client.destroy();
      target.destroy();
    }
  };
  return {
    port: (server.address() as AddressInfo).port,
    get bytesFromTarget() {
      return bytesFromTarget;
    },
    stallFromClients() {
      clientsStalled = true;
      for (const { client } of links) client.pause();
    },
    stallFromTarget() {
      targetStalled = true;
      for (const { target } of links) target.pause();
    },
    resume() {
      clientsStalled = false;
      targetStalled = false;
      for (const { client, target } of links) {
        client.resume();
        target.resume();
      }
    },
    cut,
    down() {
      isDown = true;
      cut();
    },
    up() {
      isDown = false;
    },
    throttle(bytesPerSecond) {
      fromTarget.bytesPerSecond = bytesPerSecond;
    },
    throttleClients(bytesPerSecond) {
      fromClients.bytesPerSecond = bytesPerSecond;
    },
    close() {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      cut();
      return closed;
    },
  };
}

/** What goes one way over all links together. */
interface Rate {
  bytesPerSecond: number | undefined;
  /** When the bytes that were let through are paid for. */
  paidMs: number;
}

function newRate(): Rate {
  return { bytesPerSecond: undefined, paidMs: 0 };
}

/** Holds what comes next for as long as these bytes and those before them take. */
function slow(from: Socket, bytes: number, rate: Rate, isStalled: () => boolean): void {
  if (rate.bytesPerSecond === undefined) return;
  const nowMs = performance.now();
  rate.paidMs = Math.max(rate.paidMs, nowMs) + (1000 * bytes) / rate.bytesPerSecond;
  from.pause();
  setTimeout(() => {
    if (!isStalled()) from.resume();
  }, rate.paidMs - nowMs);
}

import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

/** A server that the modules of the page ask, as those of a browser ask the one that they came from. */
export async function startPageServer(listener: RequestListener): Promise<AsyncDisposable> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const original = globalThis.fetch;
  globalThis.fetch = async (input, init) => await original(new URL(String(input), `http://127.0.0.1:${port}`), init);
  return {
    async [Symbol.asyncDispose]() {
      globalThis.fetch = original;
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

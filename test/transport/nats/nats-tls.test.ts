import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/lib/clock.ts";
import { connectNats } from "../../../src/transport/nats/nats.ts";
import type { BrokerTls } from "../../../src/transport/target.ts";
import { bytesOf, expectCode, freshPrefix, readerOf, text, WIDE } from "../../contract/contract-tools.ts";
import type { TestBroker } from "../../helpers/brokers/broker-types.ts";
import { brokersAvailable, startNats } from "../../helpers/brokers/brokers.ts";
import { startTcpProxy } from "../../helpers/brokers/tcp-proxy.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { type TestAuthority, testAuthority } from "../../helpers/tls/test-authority.ts";

describe.skipIf(!brokersAvailable("nats"))("a NATS server over TLS", () => {
  const teardown: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of teardown.splice(0).reverse()) await end();
  });

  async function server(authority: TestAuthority, names: readonly string[], more = ""): Promise<TestBroker> {
    const { certificateFile, keyFile } = await authority.issue("server", names);
    const config = `tls { cert_file: "${certificateFile}", key_file: "${keyFile}", timeout: 30, ${more} }`;
    const broker = await startNats({ config });
    teardown.push(() => broker.stop());
    return broker;
  }

  async function open(url: string, tls: BrokerTls = {}) {
    const signal = AbortSignal.timeout(60_000);
    const options = { clientName: "test", clock: systemClock, signal };
    const transport = await connectNats({ kind: "nats", url, ...tls }, options);
    teardown.push(() => transport.close());
    return transport;
  }

  async function expectWorks(url: string, tls: BrokerTls): Promise<void> {
    const transport = await open(url, tls);
    const subject = `${freshPrefix()}.data`;
    const reader = readerOf(await transport.subscribe(subject, WIDE));
    await transport.publish(subject, bytesOf("hello"), WIDE);
    expect((await reader.take(1)).map(text)).toEqual(["hello"]);
  }

  it("is taken by the authority that vouches for it, under the name that it has", async () => {
    const authority = await testAuthority(tempFolder());
    const { port } = await server(authority, ["DNS:localhost"]);
    await expectWorks(`tls://localhost:${port}`, { ca: [authority.certificate] });
    const other = await testAuthority(tempFolder());
    await expectWorks(`tls://localhost:${port}`, { ca: [other.certificate, authority.certificate] });
  });

  it("is refused without its authority, and it is said how to name it", async () => {
    const authority = await testAuthority(tempFolder());
    const { port } = await server(authority, ["DNS:localhost"]);
    const other = await testAuthority(tempFolder());
    for (const tls of [{}, { ca: [other.certificate] }]) {
      const refused = open(`tls://localhost:${port}`, tls);
      await expectCode(refused, "tls-failed");
      await expect(refused).rejects.toThrow(/--broker-ca/);
    }
  });

  it("is refused under another name, and under an address that the certificate does not have", async () => {
    const authority = await testAuthority(tempFolder());
    const ca = [authority.certificate];
    const { port } = await server(authority, ["DNS:localhost", "DNS:broker.example"]);
    const refused = open(`tls://127.0.0.1:${port}`, { ca });
    await expectCode(refused, "tls-failed");
    await expect(refused).rejects.toThrow(/for other names \(DNS:localhost, DNS:broker\.example\)/);
    const elsewhere = await server(authority, ["DNS:broker.example"]);
    await expectCode(open(`tls://localhost:${elsewhere.port}`, { ca }), "tls-failed");
  });

  it("is taken under an address that its certificate has", async () => {
    const authority = await testAuthority(tempFolder());
    const ca = [authority.certificate];
    const { port } = await server(authority, ["IP:127.0.0.1"]);
    await expectWorks(`tls://127.0.0.1:${port}`, { ca });
    await expectCode(open(`tls://localhost:${port}`, { ca }), "tls-failed");
  });

  it("gets the certificate of a client where it asks for one", async () => {
    const authority = await testAuthority(tempFolder());
    const ca = [authority.certificate];
    const verify = `ca_file: "${authority.certificateFile}", verify: true`;
    const { port } = await server(authority, ["DNS:localhost"], verify);
    await expectWorks(`tls://localhost:${port}`, { ca, certificate: await authority.issue("client", ["DNS:client"]) });
    const without = open(`tls://localhost:${port}`, { ca });
    await expectCode(without, "certificate-wanted");
    await expect(without).rejects.toThrow(/--broker-cert and --broker-key/);
    const stranger = await (await testAuthority(tempFolder())).issue("client", ["DNS:client"]);
    await expectCode(open(`tls://localhost:${port}`, { ca, certificate: stranger }), "certificate-wanted");
  });

  it("is not said to refuse a certificate when it is only slow", async () => {
    const authority = await testAuthority(tempFolder());
    const verify = `ca_file: "${authority.certificateFile}", verify: true`;
    const { port } = await server(authority, ["DNS:localhost"], verify);
    // Takes nothing from the first client behind the server's first line; whoever comes next is served.
    const proxy = await startTcpProxy(port, "127.0.0.1", (way) => {
      if (way === "link 1 from the target") proxy.stallFromClients();
      if (way === "link 2 from the target") proxy.resume();
    });
    teardown.push(() => proxy.close());
    const certificate = await authority.issue("client", ["DNS:client"]);
    const slow = open(`tls://localhost:${proxy.port}`, { ca: [authority.certificate], certificate });
    await expectCode(slow, "broker-unreachable");
    await expect(slow).rejects.toThrow(/no answer in time/);
  });

  it("is not taken without TLS when the URL asks for it", async () => {
    const broker = await startNats();
    teardown.push(() => broker.stop());
    const refused = open(broker.url.replace("nats://", "tls://"));
    await expectCode(refused, "tls-failed");
    await expect(refused).rejects.toThrow(/does not speak TLS.*nats:\/\//);
  });
});

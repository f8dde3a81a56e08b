import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { CoordinatorOptions } from "../../src/coordinator/coordinator.ts";
import { pinOf } from "../../src/lib/crypto/public-key-pin.ts";
import { ServerTrust } from "../../src/lib/tls/server-trust.ts";
import { type ControlLink, openControlLink } from "../../src/member/control-link.ts";
import { coordinatorOf, stateFolder } from "../coordinator/coordinator-fixture.ts";
import { tempFolder } from "../helpers/disks/temp-folder.ts";
import { selfMade } from "../helpers/tls/certificates.ts";
import { testAuthority } from "../helpers/tls/test-authority.ts";
import { startTlsServer } from "../helpers/tls/tls-server.ts";

async function guarded(options: Partial<CoordinatorOptions> = {}) {
  const stateDir = await stateFolder();
  const { port } = await coordinatorOf({ requireToken: true, ...options, stateDir });
  return { port, pin: () => pinOf(new X509Certificate(readFileSync(join(stateDir, "tls-certificate.pem")))) };
}

async function linkTo(port: number, trust?: ServerTrust, host = "127.0.0.1"): Promise<ControlLink> {
  const link = await openControlLink({ host, port, trust }, new AbortController().signal);
  onTestFinished(() => link.close());
  return link;
}

test("stands over TLS to the coordinator that has the key, and says which key that is", async () => {
  const { port, pin } = await guarded();
  const link = await linkTo(port, new ServerTrust({ pin: pin() }));
  expect(link.pin).toBe(pin());
  for await (const message of link.messages) {
    expect(message.type).toBe("challenge");
    break;
  }
});

test("has no key without TLS", async () => {
  const { port } = await coordinatorOf();
  expect((await linkTo(port)).pin).toBe("");
});

test("is not asked for without TLS where a coordinator speaks TLS", async () => {
  const { port } = await guarded();
  await expect(linkTo(port)).rejects.toMatchObject({
    code: "tls-failed",
    message: `cannot connect to the coordinator at 127.0.0.1:${port}: it speaks TLS only; set FANFOLD_TOKEN or --token-file to a token of it, or write https:// before an address that an authority vouches for`,
  });
});

test("is not asked for with TLS where a coordinator speaks none: nothing falls back", async () => {
  const { port } = await coordinatorOf();
  await expect(linkTo(port, new ServerTrust({ pin: selfMade().pin }))).rejects.toMatchObject({
    code: "tls-failed",
    message: expect.stringContaining("it does not speak TLS; check the address and the port"),
  });
});

test("shows its certificate to a coordinator that wants one, and is told how to give one", async () => {
  const authority = await testAuthority(tempFolder());
  const { port, pin } = await guarded({ tlsClientCa: authority.certificateFile });
  const foreign = await testAuthority(tempFolder());
  for (const client of [undefined, await foreign.issue("alpha", ["DNS:alpha"])])
    await expect(linkTo(port, new ServerTrust({ pin: pin(), client }))).rejects.toMatchObject({
      code: "certificate-wanted",
      message: expect.stringContaining(
        "a certificate that its authority signed; give one with --tls-cert and --tls-key",
      ),
    });
  const client = await authority.issue("alpha", ["DNS:alpha"]);
  expect((await linkTo(port, new ServerTrust({ pin: pin(), client }))).pin).toBe(pin());
});

test("is told of a server whose TLS itself asks for a certificate", async () => {
  const [pair, authority] = [selfMade(), await testAuthority(tempFolder())];
  const asks = { requestCert: true, rejectUnauthorized: true, ca: [authority.certificate] };
  const { port } = await startTlsServer(pair, asks);
  await expect(linkTo(port, new ServerTrust({ pin: pair.pin }))).rejects.toMatchObject({
    code: "certificate-wanted",
    message: expect.stringContaining("it asks for a certificate of this client; give one with --tls-cert"),
  });
});

import { describe } from "vitest";
import { accountJwt, operatorJwt, userJwt } from "../../src/coordinator/broker/nats-jwt.ts";
import { Nkey } from "../../src/coordinator/broker/nats-nkey.ts";
import { systemRandom } from "../../src/lib/random.ts";
import type { NatsCredentials, TransportTarget } from "../../src/transport/target.ts";
import { tempFolder } from "../helpers/brokers/broker-process.ts";
import { brokersAvailable, startNats } from "../helpers/brokers/brokers.ts";
import { contractBroker, targetBroker } from "../helpers/brokers/contract-broker.ts";
import { testAuthority } from "../helpers/tls/test-authority.ts";
import type { ContractBroker } from "./contract-harness.ts";
import { transportContract } from "./transport-contract.ts";

describe.skipIf(!brokersAvailable("nats"))("on a NATS server", () => {
  transportContract("nats", {
    start: async () => contractBroker("nats", await startNats({ user: "guest", password: "p@ss/word%" })),
  });
  transportContract("nats with JWTs over TLS", { start: startSecured });
});

/** An account whose users may do anything: the subjects of the contract are not those of sessions. */
async function startSecured(): Promise<ContractBroker> {
  const newKey = () => Nkey.make("account", systemRandom);
  const operator = Nkey.make("operator", systemRandom);
  const [system, account, key] = [newKey(), newKey(), newKey()];
  const about = (subject: Nkey) => ({ issuer: operator, subject: subject.publicKey, name: "test", now: new Date() });
  const rights = { pub: { allow: [">"] }, sub: { allow: [">"] } };
  const accounts = [
    `operator: ${operatorJwt(about(operator), system.publicKey)}`,
    `system_account: ${system.publicKey}`,
    "resolver: MEMORY",
    `resolver_preload: {
      ${system.publicKey}: ${accountJwt(about(system), [])}
      ${account.publicKey}: ${accountJwt(about(account), [{ role: "all", publicKey: key.publicKey, rights }])}
    }`,
  ];
  const credentials = (issuer: Nkey): NatsCredentials => {
    const user = Nkey.make("user", systemRandom);
    const claims = { issuer, subject: user.publicKey, name: "user", now: new Date(), ttlMs: 600_000 };
    return { jwt: userJwt({ ...claims, account: account.publicKey, tags: [] }), seed: user.seed };
  };
  const { path, remove } = await tempFolder("nats-tls");
  const authority = await testAuthority(path);
  const server = await authority.issue("server", ["IP:127.0.0.1"]);
  const certificate = await authority.issue("client", ["DNS:client"]);
  const [cert, keyFile, ca] = [server.certificateFile, server.keyFile, authority.certificateFile];
  const tls = `tls { cert_file: "${cert}", key_file: "${keyFile}", ca_file: "${ca}", timeout: 30, verify: true }`;
  const plain = await startNats({ config: [...accounts, tls].join("\n") });
  const broker = { ...plain, url: plain.url.replace("nats://", "tls://"), stop: () => plain.stop().then(remove) };
  const target = (issuer: Nkey, url: string): TransportTarget => ({
    ...{ kind: "nats", url, credentials: () => credentials(issuer), ca: [authority.certificate], certificate },
  });
  return targetBroker(broker, { target: (url) => target(key, url), wrong: target(newKey(), broker.url) });
}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { AmqpGranter } from "../../../src/coordinator/broker/granter.ts";
import { rabbitGranter } from "../../../src/coordinator/broker/rabbitmq-granter.ts";
import { type RabbitUser, rabbitJwt } from "../../../src/coordinator/broker/rabbitmq-jwt.ts";
import { readRabbitKey } from "../../../src/coordinator/broker/rabbitmq-key.ts";
import { RABBIT_FILES, setUpRabbit } from "../../../src/coordinator/broker/rabbitmq-setup.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import type { AmqpCredentials } from "../../../src/transport/target.ts";
import { type TestCertificate, testAuthority } from "../tls/test-authority.ts";
import { tempFolder } from "./broker-process.ts";
import type { RabbitBroker, RunningRabbit } from "./broker-types.ts";
import { startRabbit } from "./brokers.ts";

/** What a node with the set-up of `fanfold rabbitmq-setup` is for everybody. */
export interface ScopedRabbitNode extends Omit<RunningRabbit, "url"> {
  /** Of the authority that vouches for it: a PEM file, and its text. */
  readonly authorityFile: string;
  readonly authority: string;
  /** For a broker that asks for it. */
  readonly client: TestCertificate;
  /** Path of what the coordinator gets. */
  readonly keyFile: string;
  /** What the broker has: PEM. */
  readonly publicKey: string;
}

/** A virtual host of it, also over TLS. */
export interface ScopedRabbit extends ScopedRabbitNode {
  readonly vhost: string;
  /** Without credentials. */
  readonly url: string;
  readonly tlsUrl: string;
  /** With a user of the broker's own, who may do anything. */
  readonly rootUrl: string;
  readonly granter: AmqpGranter;
  /** Signed by the coordinator's key, with whatever rights; good for an hour, or as long as is said. */
  sign(rights: RabbitUser["rights"], given?: { readonly name?: string; readonly ttlMs?: number }): AmqpCredentials;
}

const HOUR_MS = 3_600_000;

interface ScopedRabbitOptions {
  readonly asksForCertificate?: boolean;
  /** In its certificate, as openssl writes them. */
  readonly names?: readonly string[];
}

/** A node of one test file. Most files share one instead (shared-rabbit.ts). */
export async function startScopedRabbit(options: ScopedRabbitOptions = {}): Promise<ScopedRabbit & RabbitBroker> {
  const node = await startScopedNode(options);
  return { ...node, ...scopedRabbit(node, { vhost: "/" }) };
}

export async function startScopedNode(options: ScopedRabbitOptions = {}): Promise<ScopedRabbitNode & RabbitBroker> {
  const { path, remove } = await tempFolder("scoped-rabbit");
  const authority = await testAuthority(path);
  const server = await authority.issue("server", options.names ?? ["DNS:localhost", "IP:127.0.0.1"]);
  const client = await authority.issue("client", ["DNS:client"]);
  const folder = join(path, "rabbit");
  setUpRabbit(folder, { etc: join(folder, "broker"), random: systemRandom });
  const { config, plugins } = brokerFiles(folder);
  const broker = await startRabbit({
    config,
    plugins,
    folder: path,
    tls: {
      authority: authority.certificateFile,
      certificate: server.certificateFile,
      key: server.keyFile,
      asksForCertificate: options.asksForCertificate ?? false,
    },
  });
  return {
    ...broker,
    authorityFile: authority.certificateFile,
    authority: authority.certificate,
    client,
    keyFile: join(folder, RABBIT_FILES.key),
    publicKey: readFileSync(join(folder, RABBIT_FILES.publicKey), "utf8"),
    stop: async () => {
      await broker.stop();
      await remove();
    },
  };
}

/** What members of one of its virtual hosts need. */
export function scopedRabbit(node: ScopedRabbitNode, { vhost }: { readonly vhost: string }): ScopedRabbit {
  const key = readRabbitKey(node.keyFile);
  const path = vhost === "/" ? "" : `/${vhost}`;
  return {
    ...node,
    vhost,
    url: `amqp://localhost:${node.port}${path}`,
    tlsUrl: `amqps://localhost:${node.tlsPort}${path}`,
    rootUrl: `amqp://guest:guest@127.0.0.1:${node.port}${path}`,
    granter: rabbitGranter(key, { vhost, ttlMs: HOUR_MS }),
    sign: (rights, { name = "somebody", ttlMs = HOUR_MS } = {}) => ({
      token: rabbitJwt({ name, vhost, rights }, { key, now: new Date(), ttlMs }),
    }),
  };
}

function brokerFiles(folder: string): { readonly config: string; readonly plugins: readonly string[] } {
  const config = readFileSync(join(folder, RABBIT_FILES.config), "utf8");
  const enabled = readFileSync(join(folder, RABBIT_FILES.plugins), "utf8");
  return { config, plugins: enabled.match(/\w+/g) ?? [] };
}

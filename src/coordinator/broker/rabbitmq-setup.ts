import { createPublicKey } from "node:crypto";
import { newServerKey } from "../../lib/crypto/certificate.ts";
import type { FilePath } from "../../lib/folder/file-path.ts";
import { writeNewFolder } from "../../lib/folder/new-folder.ts";
import type { Random } from "../../lib/random.ts";
import { KEY_ID, RESOURCE_SERVER } from "./rabbitmq-jwt.ts";

interface RabbitSetupOptions {
  /** The folder of the broker's configuration, on its machine. */
  readonly etc: string;
  readonly random: Random;
}

/** Names below the folder. */
export const RABBIT_FILES = {
  key: "coordinator.key",
  publicKey: "broker/fanfold.pub.pem",
  config: "broker/fanfold.conf",
  plugins: "broker/enabled_plugins",
} as const;

/** Of the queues that members make for themselves; the same as a subscription's own bound. */
export const QUEUE_POLICY = {
  pattern: "^amq\\.gen-",
  definition: { "max-length-bytes": 33_554_432 },
} as const;

/**
 * Makes all that RabbitMQ needs to let everybody do what its role needs in its session, and no more. That is a key that
 * signs credentials, and a configuration that takes them.
 *
 * @throws FanfoldError `usage` when something is in the folder; as `folderError` says
 */
export function setUpRabbit(folder: FilePath, { etc, random }: RabbitSetupOptions): void {
  const key = newServerKey();
  const open = (name: string, text: string) => ({ name, text, isSecret: false });
  writeNewFolder(
    folder,
    [
      { name: RABBIT_FILES.key, text: String(key.export({ type: "pkcs8", format: "pem" })), isSecret: true },
      open(RABBIT_FILES.publicKey, String(createPublicKey(key).export({ type: "spki", format: "pem" }))),
      open(RABBIT_FILES.config, brokerConfig(etc)),
      open(RABBIT_FILES.plugins, "[rabbitmq_auth_backend_oauth2].\n"),
    ],
    { what: "cannot set up RabbitMQ in", random },
  );
}

function brokerConfig(etc: string): string {
  return `# Rights of fanfold's members at RabbitMQ: made by "fanfold rabbitmq-setup". No part of it is secret.
# Users of the broker itself stay as they are.
auth_backends.1 = rabbit_auth_backend_oauth2
auth_backends.2 = internal
auth_oauth2.resource_server_id = ${RESOURCE_SERVER}
auth_oauth2.signing_keys.${KEY_ID} = ${etc}/fanfold.pub.pem
auth_oauth2.default_key = ${KEY_ID}

# Without TLS everybody on the way can read the data. Name your certificate and its key, and write amqps:// for amqp://.
# listeners.tcp = none
# listeners.ssl.default = 5671
# ssl_options.certfile = ${etc}/server.pem
# ssl_options.keyfile = ${etc}/server.key
`;
}

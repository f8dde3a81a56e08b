import { createPrivateKey, type KeyObject } from "node:crypto";
import type { FilePath } from "../../lib/folder/file-path.ts";
import { fileFault, readSmallFile } from "../../lib/folder/small-file.ts";

const OPTION = "--rabbitmq-key";

/**
 * The key by which a coordinator signs everybody's credentials for RabbitMQ.
 *
 * @throws FanfoldError `usage`; it holds nothing of the content
 */
export function readRabbitKey(path: FilePath): KeyObject {
  const wanted = 'want a P-256 private key in PEM, as "fanfold rabbitmq-setup" writes it';
  const pem = readSmallFile(path, { option: OPTION, isSecret: true });
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (cause) {
    throw fileFault(path, OPTION, `found something else, ${wanted}`, cause);
  }
  if (key.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve === "prime256v1") return key;
  throw fileFault(path, OPTION, `found a key of another kind, ${wanted}`);
}

import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

/** A certificate that an authority signed, with its key: PEM, and the files that hold it. */
export interface TestCertificate {
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly certificate: string;
  readonly key: string;
}

/** An authority of a test: openssl makes it, so that what it issues is not of our own making. */
export interface TestAuthority extends TestCertificate {
  /** `names` as openssl writes them: `DNS:localhost`, `IP:127.0.0.1`. */
  issue(name: string, names: readonly string[]): Promise<TestCertificate>;
}

/** @param folder it exists, and goes with the test */
export async function testAuthority(folder: string, name = "authority"): Promise<TestAuthority> {
  const own = await make(folder, name, ["-x509", "-addext", "basicConstraints=critical,CA:TRUE"]);
  return {
    ...own,
    issue: (leaf, names) =>
      make(folder, leaf, [
        ...["-x509", "-CA", own.certificateFile, "-CAkey", own.keyFile],
        ...["-addext", `subjectAltName=${names.join(",")}`, "-addext", "basicConstraints=CA:FALSE"],
      ]),
  };
}

async function make(folder: string, name: string, args: readonly string[]): Promise<TestCertificate> {
  const [certificateFile, keyFile] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
  // With no configuration of the machine's own.
  const config = join(folder, "openssl.cnf");
  await writeFile(config, "[req]\ndistinguished_name = dn\n[dn]\n");
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", keyFile];
  const out = ["-out", certificateFile, "-subj", `/CN=${name}`, "-days", "2"];
  await promisify(execFile)("openssl", ["req", "-config", config, ...key, ...out, ...args]);
  const [certificate, ownKey] = [await readFile(certificateFile, "utf8"), await readFile(keyFile, "utf8")];
  return { certificateFile, keyFile, certificate, key: ownKey };
}

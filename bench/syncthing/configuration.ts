import { HOST } from "../contenders/ports.ts";

/** The one folder that all devices share. */
export const FOLDER = "bench";
/** What syncthing makes in a folder of its own, and looks for before it does anything there. */
export const MARKER = ".stfolder";

/** How others find a device. */
export interface Peer {
  readonly id: string;
  /** Where it is called; none waits to be called. */
  readonly port?: number;
}

export interface DeviceSetup {
  /** Of the format, as the installed version writes it. */
  readonly version: string;
  readonly role: "source" | "sink";
  readonly folder: string;
  /** A name in the folder that must be there. */
  readonly marker: string;
  readonly port: number;
  readonly apiPort: number;
  readonly apiKey: string;
  readonly self: string;
  readonly peers: readonly Peer[];
}

/** Nobody but us calls, and nobody is called but us. */
const OPTIONS = {
  globalAnnounceEnabled: false,
  localAnnounceEnabled: false,
  relaysEnabled: false,
  natEnabled: false,
  stunKeepaliveStartS: 0,
  urAccepted: -1,
  crashReportingEnabled: false,
  autoUpgradeIntervalH: 0,
  startBrowser: false,
  minHomeDiskFree: 0,
  // It would give way to all others on this machine.
  setLowPriority: false,
};

/**
 * The configuration of one device. A source's folder is paused at first: to go on is its start. What is not said here is
 * as it is by default, but nobody watches for changes, and no names are taken for the same that differ in case.
 */
export function configurationOf({ version, role, folder, marker, self, peers, ...at }: DeviceSetup): string {
  const shared = [self, ...peers.map(({ id }) => id)].map((id) => element("device", "", { id }));
  const folderParts = [
    ...shared,
    element("minDiskFree", "0", { unit: "%" }),
    element("paused", String(role === "source")),
    element("markerName", escaped(marker)),
    element("caseSensitiveFS", "true"),
  ];
  const folderAttributes = {
    id: FOLDER,
    path: folder,
    type: role === "source" ? "sendonly" : "receiveonly",
    rescanIntervalS: "0",
    fsWatcherEnabled: "false",
    autoNormalize: "false",
  };
  const options = Object.entries(OPTIONS).map(([name, value]) => element(name, String(value)));
  const parts = [
    element("folder", folderParts.join(""), folderAttributes),
    ...[{ id: self }, ...peers].map(deviceElement),
    element("gui", element("address", `${HOST}:${at.apiPort}`) + element("apikey", at.apiKey), { enabled: "true" }),
    element("options", [element("listenAddress", `tcp://${HOST}:${at.port}`), ...options].join("")),
  ];
  return element("configuration", parts.join("\n"), { version });
}

/** Without a place to look for it, `dynamic` is never called. */
function deviceElement({ id, port }: Peer): string {
  return element("device", element("address", port === undefined ? "dynamic" : `tcp://${HOST}:${port}`), { id });
}

function element(name: string, content: string, attributes: Readonly<Record<string, string>> = {}): string {
  const said = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(value)}"`);
  return `<${name}${said.join("")}>${content}</${name}>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

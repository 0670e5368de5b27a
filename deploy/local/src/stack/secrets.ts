import { randomBytes } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { StackError } from "../stack-error.ts";

const secrets = z.object({
  idSecret: z.string(),
  tokenSecret: z.string(),
  secretsKey: z.string(),
  webhookSecret: z.string(),
  s3AccessKeyId: z.string(),
  s3SecretAccessKey: z.string(),
});

/** Secrets of a local stack, made at its first start. */
export type Secrets = z.infer<typeof secrets>;

const KEY_BYTES = 32;

/** The secrets kept in the data folder, made now when there are none: job ids and signatures outlive a restart. */
export async function keptSecrets(dataDir: string): Promise<Secrets> {
  const path = join(dataDir, "secrets.json");
  const text = await readFile(path, "utf8").catch(() => null);
  if (text === null) {
    const made = newSecrets();
    await writeFile(`${path}.new`, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600 });
    await rename(`${path}.new`, path);
    return made;
  }
  try {
    return secrets.parse(JSON.parse(text));
  } catch (error) {
    throw new StackError(
      `${path} cannot be understood. Restore it, or use another data folder (--data): without it the stored data cannot be opened.`,
      { code: "DATA_UNREADABLE", cause: error },
    );
  }
}

function newSecrets(): Secrets {
  const key = () => randomBytes(KEY_BYTES).toString("base64");
  return {
    idSecret: key(),
    tokenSecret: key(),
    secretsKey: key(),
    webhookSecret: `whsec_${key()}`,
    s3AccessKeyId: `longhaul${randomBytes(6).toString("hex")}`,
    s3SecretAccessKey: randomBytes(24).toString("hex"),
  };
}

/** The two folders of the result bucket that are ours. Nothing outside them is ever deleted. */
export const OWN_FOLDERS = ["results/", "payload/"] as const;

const JOB_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

type Owner = { tenant: string; id: string };

/** Everything that a job has ever stored lies under one of these prefixes. */
export function ownPrefixes(owner: Owner): string[] {
  return OWN_FOLDERS.map((folder) => prefixIn(folder, owner));
}

/** A key for a result of the job. `token`: random and never used before, because no key is ever used twice. */
export function resultKey(owner: Owner, token: string): string {
  return prefixIn("results/", owner) + token;
}

/** A key for what the job's record has no room for; as `resultKey`. */
export function payloadKey(owner: Owner, token: string): string {
  return prefixIn("payload/", owner) + token;
}

const prefixIn = (folder: (typeof OWN_FOLDERS)[number], { tenant, id }: Owner) => `${folder}${tenant}/${id}/`;

/** The id of the job that a key was chosen for: `<folder>/<tenant>/<id>/<random>`. Null for any other key. */
export function jobOfKey(key: string): string | null {
  if (!OWN_FOLDERS.some((folder) => key.startsWith(folder))) return null;
  const segments = key.split("/");
  const id = segments.at(-2) ?? "";
  return segments.length >= 4 && segments.at(-1) && JOB_ID.test(id) ? id : null;
}

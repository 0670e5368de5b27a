// Loaded before every command (`node --import ./deploy/local/require-node.mjs …`): says in one sentence what is
// wrong when the Node at hand cannot run TypeScript. Plain JavaScript, because it must itself run on older ones.
const [major] = process.versions.node.split(".");

if (Number(major) < 24) {
  console.error(
    `Longhaul needs Node 24; this is ${process.version} (${process.execPath}).\n` +
      "`npm ci` brings Node 24 along where its package exists for the machine; it seems to have been left out here.\n" +
      "Install Node 24 (https://nodejs.org) and run the command again.",
  );
  process.exit(1);
}

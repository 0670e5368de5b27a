import { inject } from "vitest";
import { type SourceCall, type SourceProxy, startSourceProxy, type Treatment } from "./source-proxy.ts";
import { startTestStack, type TestStack, type TestStackOptions } from "./test-stack.ts";

/** A test stack that reads its sources through a proxy. */
export type SourceStack = { stack: TestStack; proxy: SourceProxy; dispose(): Promise<void> };

export async function startSourceStack(
  treat: (call: SourceCall) => Treatment,
  { env, counts }: Pick<TestStackOptions, "env" | "counts"> = {},
): Promise<SourceStack> {
  const s3 = inject("s3");
  const proxy = await startSourceProxy(s3.endpoint, treat);
  try {
    const stack = await startTestStack({
      servers: { mongodbUrl: inject("mongodbUrl"), s3 },
      env: {
        SOURCE_S3_ENDPOINT: proxy.url,
        SOURCE_S3_REGION: s3.region,
        SOURCE_S3_ACCESS_KEY_ID: s3.accessKeyId,
        SOURCE_S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
        ...env,
      },
      ...(counts ? { counts } : {}),
    });
    return {
      stack,
      proxy,
      async dispose() {
        await stack.dispose();
        await proxy.close();
      },
    };
  } catch (error) {
    await proxy.close();
    throw error;
  }
}

const MASK = "***";

/**
 * Members of JSON objects whose value nobody may read, at any depth: headers and settings. The bounds keep the search
 * linear, for part of a line comes from strangers.
 */
const SECRET_MEMBER =
  /("(?:authorization|proxy-authorization|cookie|set-cookie|[\w-]{0,40}(?:secret|password|passwd|token|api[-_]?key)[\w-]{0,40})":)(?:"(?:[^"\\]|\\.)*"|\[[^\]]*\])/gi;

/** Parameters of URLs that let their reader do what the signer may: signatures of S3, tokens of sockets. */
const SECRET_PARAMETER =
  /([?&](?:X-Amz-Signature|X-Amz-Credential|X-Amz-Security-Token|Signature|token|access_token)=)[^&"'\\\s]+/gi;

/** `user:password@` of a URL. */
const URL_CREDENTIALS = /(\/\/)[^/@"'\s]+@/g;

const BEARER = /\b(Bearer|Basic) [\w+/=.~-]+/gi;

/** Takes secrets out of a text: of a JSON line, an error's message, a URL. What it is called stays readable. */
export function redact(text: string): string {
  return text
    .replace(SECRET_MEMBER, `$1"${MASK}"`)
    .replace(SECRET_PARAMETER, `$1${MASK}`)
    .replace(URL_CREDENTIALS, `$1${MASK}@`)
    .replace(BEARER, `$1 ${MASK}`);
}

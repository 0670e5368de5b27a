/** Control characters, line and paragraph separators, marks of byte order and of text direction: they hide or disguise. */
export const INVISIBLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\uFEFF]/gu;

import type { Random } from '../../clock.ts'

/** Capitals and digits that are not taken for one another, aloud or in print (no 0 O, 1 I L, 2 Z, 5 S, 8 B, U V), and no vowels, so that no word comes out. */
const alphabet = '34679CDFGHJKMNPQRTWXY'
/** The largest multiple of the alphabet's length in a byte: what is above is drawn again, or some letters would come more often. */
const fair = 256 - (256 % alphabet.length)

const draw = (random: Random, length: number): string => {
  let out = ''
  while (out.length < length)
    for (const b of random.bytes(length)) if (b < fair && out.length < length) out += alphabet[b % alphabet.length]
  return out
}

const hasBoth = (ref: string): boolean => /\d/.test(ref) && /[A-Z]/.test(ref)

/**
 * A short reference of four characters with a letter and a digit, e.g. `7Q4K`, that `isTaken` does not know (open pages, and closed ones as long as somebody
 * may still answer them); longer when the short ones have run out.
 */
export const newRef = (random: Random, isTaken: (ref: string) => boolean): string => {
  for (let tries = 0; tries < 1000; tries++) {
    const ref = draw(random, 4 + Math.floor(tries / 50))
    if (hasBoth(ref) && !isTaken(ref)) return ref
  }
  throw new Error('no free reference for a page')
}

/** The reference as somebody typed it, or undefined where the text is none. */
export const readRef = (text: string): string | undefined => {
  const t = text.trim().replace(/^#/, '').toUpperCase()
  return t.length >= 4 && t.length <= 8 && hasBoth(t) && [...t].every(c => alphabet.includes(c)) ? t : undefined
}

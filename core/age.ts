import { Encrypter } from 'age-encryption'
import { type Refusal, refuse } from './domain/refusal.ts'

/** As many as one export is encrypted to. */
export const mostRecipients = 10
const longest = 2500

/**
 * Reads age recipients (age-encryption.org/v1; `age1…`, also the post-quantum ones), separated by commas or spaces, each once. Refuses what the age format does not
 * know, and private keys by name.
 */
export const readRecipients = (text: string): string[] | Refusal => {
  const all = [...new Set(text.split(/[\s,;]+/).filter(r => r !== ''))]
  if (all.length === 0) return refuse('no-recipients', 'Say to whom it is encrypted: to age1…')
  if (all.length > mostRecipients) return refuse('many-recipients', `At most ${mostRecipients} recipients.`)
  if (all.some(r => /^age-secret-key/i.test(r)))
    return refuse(
      'secret-key',
      'That is a private key: never give it to anybody. The recipient beside it begins with age1; make a new pair, since this one was seen.',
    )
  const encrypter = new Encrypter()
  for (const r of all) {
    try {
      if (r.length > longest || !r.startsWith('age1')) throw new Error('no recipient')
      encrypter.addRecipient(r)
    } catch {
      const shown = r.length > 24 ? `${r.slice(0, 20)}…` : r
      return refuse('bad-recipient', `${shown} is no age recipient; it looks like age1… (age-keygen shows it).`)
    }
  }
  return all
}

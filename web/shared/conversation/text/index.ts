import type { Lang } from '../item.ts'
import { type TalkWords, talkEn } from './en.ts'
import { talkEs } from './es.ts'

/** The words of the message list and the composer in a language. */
export const talkWords = (lang: Lang): TalkWords => (lang === 'es' ? talkEs : talkEn)

import type { Priority } from '../../../core/domain/oncall/paging/priority.ts'
import type { Answer } from '../../../core/domain/oncall/paging/reply.ts'

export type CallLang = 'en' | 'es'
type About = { ref: string; priority: Priority; lang: CallLang }

const xmlText = (s: string) => s.replace(/[<>&"']/g, c => `&#${c.charCodeAt(0)};`)
const say = (lang: CallLang, words: string) =>
  `<Say language="${lang === 'es' ? 'es-US' : 'en-US'}">${xmlText(words)}</Say>`
const response = (inner: string) => `<?xml version="1.0" encoding="UTF-8"?><Response>${inner}</Response>`
/** Spelled, with a breath between the characters. */
const spelled = (ref: string) => [...ref].join(', ')

const priorityWords: Record<CallLang, Record<Priority, string>> = {
  en: { routine: 'Routine page', urgent: 'Urgent page', stat: 'Stat page' },
  es: { routine: 'Aviso', urgent: 'Aviso urgente', stat: 'Aviso inmediato' },
}

/** What a call reads: that there is a page and its reference, nothing of what it is about. `again`: where to ask once more when no key was pressed. */
export const question = ({ ref, priority, lang }: About, to: { key: string; again: string | null }): string => {
  const words =
    lang === 'es'
      ? `${priorityWords.es[priority]}. Referencia ${spelled(ref)}. Pulse 1 para aceptar, 2 para rechazar.`
      : `${priorityWords.en[priority]}. Reference ${spelled(ref)}. Press 1 to accept, 2 to decline.`
  const gather = `<Gather input="dtmf" numDigits="1" timeout="8" method="POST" action="${xmlText(to.key)}">${say(lang, words)}</Gather>`
  return response(gather + (to.again ? `<Redirect method="POST">${xmlText(to.again)}</Redirect>` : '<Hangup/>'))
}

/** After a key. */
export const answered = (
  { ref, lang }: About,
  answer: Answer,
  { refused, isLast }: { refused: boolean; isLast: boolean },
): string => {
  const words = {
    en: refused
      ? 'This page wants nothing of you any more. Goodbye.'
      : answer === 'accept'
        ? `${spelled(ref)} is yours. Open your chat. Goodbye.`
        : isLast
          ? 'Declined. Nobody else is called, and the sender is told. Goodbye.'
          : 'Declined. Others are called. Goodbye.',
    es: refused
      ? 'Este aviso ya no le necesita. Adiós.'
      : answer === 'accept'
        ? `${spelled(ref)} es suyo. Abra su chat. Adiós.`
        : isLast
          ? 'Rechazado. No se llama a nadie más, y se avisa al remitente. Adiós.'
          : 'Rechazado. Se llama a otras personas. Adiós.',
  }
  return response(`${say(lang, words[lang])}<Hangup/>`)
}

/** A call that no page knows. */
export const unknownCall = response('<Hangup/>')

import type { Lang } from '../../contract.ts'
import { en, type Words } from './en.ts'
import { es } from './es.ts'

/** The words of the first screens in a language. */
export const wordsOf = (lang: Lang): Words => (lang === 'es' ? es : en)

export const locales: Record<Lang, string> = { en: 'en-US', es: 'es-US' }

/**
 * The browser's own locale of a language, whose region decides in which order a date is written; ours where it names none, or one in which no date can be
 * written: a browser takes what its system says for a language, such as `en-US@posix`.
 */
export const localeOf = (lang: Lang, languages: readonly string[]): string =>
  languages.find(tag => tag.toLowerCase().startsWith(`${lang}-`) && isLocale(tag)) ?? locales[lang]

const isLocale = (tag: string): boolean => {
  try {
    return Intl.DateTimeFormat.supportedLocalesOf(tag).length > 0
  } catch {
    return false
  }
}

/** The language that the browser asks for, until the patient's record says otherwise. */
export const browserLang = (languages: readonly string[]): Lang => {
  const wanted = languages.map(tag => tag.slice(0, 2).toLowerCase()).find(tag => tag === 'en' || tag === 'es')
  return wanted === 'es' ? 'es' : 'en'
}

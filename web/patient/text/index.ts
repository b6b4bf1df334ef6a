import type { Lang } from '../../contract.ts'
import { en, type Words } from './en.ts'
import { es } from './es.ts'

/** The words of the first screens in a language. */
export const wordsOf = (lang: Lang): Words => (lang === 'es' ? es : en)

export const locales: Record<Lang, string> = { en: 'en-US', es: 'es-US' }

/** The language that the browser asks for, until the patient's record says otherwise. */
export const browserLang = (languages: readonly string[]): Lang => {
  const wanted = languages.map(tag => tag.slice(0, 2).toLowerCase()).find(tag => tag === 'en' || tag === 'es')
  return wanted === 'es' ? 'es' : 'en'
}

import type { Section, Taken } from '../../core/oncall/import/take.ts'
import type { OnCallSource } from '../../core/store/oncall/sources.ts'
import type { Tx } from '../../core/store/tx.ts'
import { tellAffected } from '../commands/oncall/preview.ts'
import { type Answer, answer, type Block, code, list, literal } from '../framework/answer.ts'

/** Where a source's duties go: `cardiology`, or `cardiology, layer feed`. */
export const sourceWords = (s: Pick<OnCallSource, 'role' | 'layer'>): string =>
  s.layer === 'import' ? s.role : `${s.role}, layer ${s.layer}`

const blocks = (sections: readonly Section[]): (Block | string)[] =>
  sections.flatMap(s => [s.title, literal(list(s.lines))])

/** `!oncall import accept cardiology` */
export const acceptCommand = (s: Pick<OnCallSource, 'role' | 'layer'>): string =>
  `!oncall import accept ${s.role}${s.layer === 'import' ? '' : ` layer ${s.layer}`}`

/** What whoever keeps a source is told of a reading; undefined where there is nothing to say. */
export const reportOf = (s: OnCallSource, taken: Taken): Answer | undefined => {
  const what = `The duties for ${sourceWords(s)}${s.host ? ` from ${s.host}` : ''}`
  switch (taken.kind) {
    case 'same':
      return undefined
    case 'problem':
      return answer(
        `${what} are not taken; the schedule stays as it is.`,
        ...blocks(taken.sections),
        'A name that I do not know you tell me with:',
        code('!oncall import name "Lee, A" @ann'),
      )
    case 'pending':
      return answer(
        `${what} wait for your word, because ${taken.doubt}. Nothing is changed yet.`,
        ...blocks(taken.sections),
        'If it is right:',
        code(acceptCommand(s)),
      )
    case 'taken':
      return answer(`${what} are in force.`, ...blocks(taken.sections))
  }
}

/** Whose duty an import changed is told. */
export const tellTaken = async (tx: Tx, taken: Taken, by: string): Promise<string[]> => {
  if (taken.kind !== 'taken') return []
  const { role } = taken.after
  const about = { name: role.name, by }
  return tellAffected(tx, `${role.key}:${role.version}`, about, taken.before.schedule, taken.after.schedule)
}

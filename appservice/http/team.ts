import type { Role } from '../../core/domain/roles.ts'
import type { Homeserver } from '../../core/matrix/homeserver.ts'
import type { Db } from '../../core/store/db.ts'
import type { Session } from '../../core/store/links/sessions.ts'
import { ownUsersOf, rolesOf } from '../../core/store/patients/team.ts'
import type { Lang, Session as SessionAnswer } from '../../web/contract.ts'
import { fetchMembers } from './proxy/members.ts'

const words: Record<'team' | 'desk' | 'clinic' | 'patient' | 'caregiver', Record<Lang, string>> = {
  team: { en: 'Care team', es: 'Equipo de atención' },
  desk: { en: 'Front desk', es: 'Recepción' },
  clinic: { en: 'Automatic notices', es: 'Avisos automáticos' },
  patient: { en: 'Patient', es: 'Paciente' },
  caregiver: { en: 'Caregiver', es: 'Cuidador' },
}

const roleWord = (roles: readonly Role[], lang: Lang): string =>
  roles.includes('desk') && !roles.includes('clinician') && !roles.includes('supervisor')
    ? words.desk[lang]
    : words.team[lang]

const localpart = (userId: string): string => userId.slice(1).split(':')[0] ?? userId

/** Who is in the room, by Matrix id, in the patient's words; the ghost itself is left out, other ghosts have no name. */
export const teamOf = async (
  deps: { homeserver: Homeserver; db: Db },
  session: Session,
  lang: Lang,
  clinicName: string,
): Promise<SessionAnswer['team']> => {
  const members = await fetchMembers(deps.homeserver, session.userId, session.roomId)
  const [own, roles] = await Promise.all([
    ownUsersOf(deps.db, session.patientId),
    rolesOf(
      deps.db,
      members.map(m => m.userId),
    ),
  ])
  const describe = (userId: string, name: string) => {
    if (userId === own.service) return { name: clinicName, role: words.clinic[lang] }
    const kind = own.ghosts.get(userId)
    if (kind) return { name: words[kind][lang], role: words[kind][lang] }
    return { name: name || localpart(userId), role: roleWord(roles.get(userId) ?? [], lang) }
  }
  return Object.fromEntries(
    members.filter(m => m.userId !== session.userId).map(m => [m.userId, describe(m.userId, m.name)]),
  )
}

import type { InsideWords } from './inside-en.ts'

/** The same words in Spanish. */
export const insideEs: InsideWords = {
  title: 'Sus mensajes',
  menu: 'Menú',
  closeMenu: 'Cerrar el menú',
  callUs: 'Llamar',
  callClinic: (clinic, phone) => `Llamar: ${clinic}, ${phone}`,
  about: 'Quién responde y cuándo',
  permissions: 'Mis permisos',
  logOff: 'Cerrar sesión',
  language: 'Idioma',
  close: 'Cerrar',
  private: 'Solo usted y su equipo médico pueden leer estos mensajes.',

  offline: 'No tiene conexión. Lo que escriba queda aquí y se envía cuando vuelva.',
  serverDown: 'Ahora no podemos llegar a su clínica. Seguimos intentando. Lo que escriba queda aquí.',
  connected: 'Ya tiene conexión otra vez.',
  afterHours: 'Su equipo médico no está ahora.',

  aboutTitle: 'Quién responde y cuándo',
  teamTitle: 'Su equipo médico',
  emergencyTitle: 'En una emergencia',
  privateTitle: 'Quién puede leer esto',
  privateText:
    'Sus mensajes se cierran en este dispositivo y se abren en los dispositivos de su equipo médico. El mensaje de texto que recibió no tiene datos de salud. Al cerrar la sesión no queda nada en este dispositivo.',
  notDiary: 'Su equipo médico guarda los mensajes como parte de su atención.',

  consentTitle: 'Mis permisos',
  consentIntro: 'Usted decide qué le puede enviar su clínica. Puede cambiarlo cuando quiera.',
  consentYes: 'Sí',
  consentNo: 'No',
  consentOn: 'Usted dijo que sí',
  consentOff: 'Usted dijo que no, o nunca dijo que sí',
  consentSince: when => `desde el ${when}`,
  consentHow: { written: 'en papel', verbal: 'de palabra', page: 'en esta página' },
  consentVersion: version => `Texto, versión ${version}`,
  consentAsk: title => `¿Nos permite? ${title}`,
  consentSaved: 'Guardamos su decisión.',
  consentFailed: 'No pudimos guardar su decisión. Intente de nuevo, por favor.',
  consentCareOff: 'Si dice que no, su clínica deja de enviarle enlaces a sus mensajes.',
  loading: 'Un momento…',
  tryAgain: 'Intentar de nuevo',

  idleTitle: '¿Sigue ahí?',
  idleText: left => `Para proteger sus mensajes, cerramos su sesión en ${left}.`,
  idleKept: 'Lo que escribió se guarda.',
  stay: 'Sí, quedarme aquí',
  seconds: n => (n === 1 ? '1 segundo' : `${n} segundos`),
  minutes: n => (n === 1 ? '1 minuto' : `${n} minutos`),

  reauthTitle: 'Confirme otra vez que es usted',
  reauthText: 'Lleva una hora aquí. No se pierde nada de lo que escribió.',

  leaveTitle: '¿Cerrar la sesión?',
  leaveText:
    'Sus mensajes quedan protegidos otra vez y este enlace ya no funciona. Le enviamos uno nuevo cuando su equipo médico le escriba o cuando usted lo pida.',
  leaveDraft: 'Lo que estaba escribiendo queda guardado para la próxima vez.',
  leaveUnsent: 'Un mensaje todavía no se envió. Si cierra la sesión ahora, se pierde.',
  leaveYes: 'Cerrar sesión',
  leaveNo: 'Quedarme aquí',
}

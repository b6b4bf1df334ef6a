/** Words that tell something about a person's health or name, in English and Spanish, without accents and in lower case. A word ending in `*` stands for all that begin so. */
const list = (text: string): readonly string[] => text.split(/\s+/).filter(Boolean)

/** Fields, departments and the people who work in them: "a message from Oncology" is already a diagnosis. */
export const specialtyWords = list(`
oncolog* cardiolog* psychiatr* psycholog* psiquiatr* psicolog* neurolog* nephrolog* nefrolog* urolog* gynecolog* gynaecolog* ginecolog* obstetric* obgyn
dermatolog* endocrin* gastroenter* hepatolog* hematolog* haematolog* rheumatolog* reumatolog* pulmonolog* neumolog* orthop* ortoped* ophthalm* oftalm*
otolaryng* otorrino* pediatric* paediatric* pediatr* geriatr* radiolog* radiother* radioter* chemother* quimioter* immunolog* inmunolog* allerg* alerg*
infectolog* infectious infeccios* virolog* anesthes* anaesthes* anestes* surg* cirug* ciruj* transplant* trasplant* fertil* prenatal antenatal postnatal matern* midwi* partera
hospice paliativ* palliative dialys* dialis* rehab* detox* addict* adiccion* methadone metadona counsel* therap* terapia terapeut* behavioral behavioural conductual
proctolog* vascular neurosurg* neurociruj* endoscop* colonoscop* mammogra* mamogra* biops* ultrasound ultrasonid* ecograf* mri ct xray radiograf* tomogra* resonancia
eeg ecg ekg genetic* genetica nutricion dietitian podiatr* podolog* audiolog* dentist* odontolog* abort* contracep* anticoncep* sexual* std sti ets its
`)

/** Conditions, symptoms and findings. */
export const diagnosisWords = list(`
cancer* tumor* tumour* carcinom* leukemi* leukaemi* leucemi* lymphom* linfom* melanom* metasta* malign* benign* lesion* nodule nodulo
diabet* insulin* glucos* hypertens* hipertens* cholesterol colesterol infarct* infart* stroke derrame angina arrhythm* arritm* anemi* anaemi*
hiv vih aids sida hepatitis herpes syphilis sifilis gonorr* chlamydia clamidia tuberculos* covid* influenza gripe pneumon* neumon* sepsis infect* infec*
depress* depres* anxiet* ansied* bipolar schizo* esquizo* psychos* psicos* suicid* autis* adhd tdah dement* demenc* alzheimer* parkinson* epilep* seizure convulsi* migraine* migran*
asthma* asma copd epoc bronch* bronqu* arthrit* artrit* fractur* hernia* ulcer* colitis crohn* cirrho* cirro* renal kidney* rinon* liver higado heart corazon
pregnan* embaraz* miscarr* menopaus* infertil* obes* anorex* bulim* eczema psorias* lupus sclerosis esclerosis
pain dolor bleed* sangrad* fever fiebre rash symptom* sintoma* diagnos* prognos* pronostic* positive positivo negative negativo abnormal anormal
blood sangre urine orina lab labs laboratori* pathology patologia specimen screening pap psa a1c test tests prueba pruebas analisis
surgery operation operacion wound herida disease enfermedad* syndrome sindrome disorder trastorno treatment tratamiento
`)

/** Substances and kinds of medicine; ends of names that drugs share are in \`drugEndings\`. */
export const drugWords = list(`
drug drugs medicament* medicine medicina* medication* prescri* receta* pill pills pastilla* tablet tablets tableta* dose doses dosage dosis mg mcg inject* inyec* vaccin* vacuna*
antibiot* opioid* opiaceo* steroid* esteroid* statin* estatina* chemo quimio refill resurtido
aspirin* ibuprofen* acetaminophen paracetamol tylenol advil metformin* warfarin* coumadin eliquis xarelto heparin* lisinopril amlodipin* losartan metoprolol atenolol
atorvastatin* lipitor simvastatin* omeprazol* prozac zoloft lexapro xanax valium ativan adderall ritalin lithium litio morphin* morfina oxycod* oxycontin fentan* tramadol
gabapentin* pregabalin* prednison* methotrexate metotrexato humira ozempic wegovy mounjaro truvada prep biktarvy naloxone suboxone buprenorphin* viagra sildenafil* tamoxifen*
amoxicil* azithromycin azitromicina cipro* levothyrox* levotirox* synthroid albuterol salbutamol clopidogrel plavix digoxin* furosemid* hydrochlorothiazide
`)

export const drugEndings = list(
  'mab nib pril sartan olol statin statina azole azol cillin cilina mycin micina cycline ciclina oxacin oxacino vir afil dipine dipino setron gliptin gliflozin tidine prazole prazol caine caina',
)
/** Ordinary words with such an end. */
export const notDrugs = new Set(list('april abril virgin revir devir elvir'))

/** Given names that are common among patients and rare as other words. */
export const givenNames = new Set(
  list(`
james john robert michael william david richard joseph thomas charles christopher daniel matthew anthony steven paul andrew joshua kenneth kevin brian george edward ronald timothy jason jeffrey ryan jacob gary
nicholas eric jonathan stephen larry justin scott brandon benjamin samuel gregory alexander patrick jack dennis jerry tyler aaron henry peter adam nathan zachary walter kyle
mary patricia jennifer linda elizabeth barbara susan jessica sarah karen lisa nancy betty sandra margaret ashley kimberly emily donna michelle carol amanda melissa deborah stephanie rebecca laura sharon cynthia dorothy
amy kathleen angela shirley brenda pamela emma anna nicole helen samantha katherine christine debra rachel carolyn janet maria olivia heather diane julie joyce victoria ruth kelly lauren christina joan evelyn
juan jose luis carlos jorge pedro miguel francisco antonio manuel jesus alejandro rafael fernando roberto ricardo eduardo javier sergio andres diego raul enrique arturo hector alberto oscar ramon ruben pablo
guadalupe juana margarita rosa ana carmen lucia sofia isabel teresa gabriela veronica alejandra leticia silvia adriana claudia elena beatriz yolanda martha marta gloria josefina raquel esperanza dolores pilar
`),
)

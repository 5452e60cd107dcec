import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseNote } from '../../vault/parse-note.ts';
import { openVaultIndex } from './vault-index.ts';

/** Three notes of one language, and questions for each with words inflected or attached otherwise than there. */
type Language = {
  readonly name: string;
  readonly notes: readonly [bread: string, train: string, library: string];
  readonly questions: readonly (readonly [question: string, note: 0 | 1 | 2])[];
};

const LANGUAGES: readonly Language[] = [
  {
    name: 'Arabic',
    notes: [
      'نخلط الدقيق مع الماء ثم نترك العجين ساعة قبل الخبز في الفرن.',
      'يغادر القطار من المحطة كل صباح ويصل إلى العاصمة ظهرا.',
      'تفتح المكتبة أبوابها للطلاب ويمكن استعارة الكتب لمدة أسبوعين.',
    ],
    questions: [
      ['كم من الوقت يترك عجين الخبز؟', 0],
      ['متى تغادر قطارات العاصمة؟', 1],
      ['استعارة كتاب من مكتبة', 2],
    ],
  },
  {
    name: 'Russian',
    notes: [
      'Муку смешивают с водой, тесто отдыхает час, потом хлеб пекут в духовке.',
      'Поезд отправляется с вокзала каждое утро и прибывает в столицу к полудню.',
      'Библиотека открыта для студентов, книги выдают на две недели.',
    ],
    questions: [
      ['сколько отдыхает тесто для хлеба', 0],
      ['отправление поездов в столице', 1],
      ['взять книгу в библиотеке', 2],
    ],
  },
  {
    name: 'Greek',
    notes: [
      'Ανακατεύουμε το αλεύρι με νερό και αφήνουμε τη ζύμη να ξεκουραστεί πριν ψηθεί το ψωμί.',
      'Το τρένο αναχωρεί από τον σταθμό κάθε πρωί και φτάνει στην πρωτεύουσα το μεσημέρι.',
      'Η βιβλιοθήκη είναι ανοιχτή για φοιτητές και δανείζει βιβλία για δύο εβδομάδες.',
    ],
    questions: [
      ['αλεύρι με νερό για ζύμες και ψωμί', 0],
      ['αναχώρηση τρένων από σταθμούς', 1],
      ['δανεισμός βιβλίων στις βιβλιοθήκες', 2],
    ],
  },
  {
    name: 'Thai',
    notes: [
      'ผสมแป้งกับน้ำแล้วพักแป้งหนึ่งชั่วโมงก่อนอบขนมปังในเตาอบ',
      'รถไฟออกจากสถานีทุกเช้าและถึงเมืองหลวงตอนเที่ยง',
      'ห้องสมุดเปิดให้นักศึกษายืมหนังสือได้สองสัปดาห์',
    ],
    questions: [
      ['อบขนมปังอย่างไร', 0],
      ['รถไฟถึงเมืองหลวงกี่โมง', 1],
      ['ยืมหนังสือจากห้องสมุด', 2],
    ],
  },
  {
    name: 'Hindi',
    notes: [
      'आटे को पानी में मिलाकर एक घंटे छोड़ दें, फिर रोटी को तंदूर में पकाएँ।',
      'रेलगाड़ी हर सुबह स्टेशन से चलती है और दोपहर को राजधानी पहुँचती है।',
      'पुस्तकालय छात्रों के लिए खुला है और किताबें दो सप्ताह के लिए मिलती हैं।',
    ],
    questions: [
      ['तंदूर में रोटी, आटा और पानी', 0],
      ['राजधानी की रेलगाड़ियाँ कब चलती हैं', 1],
      ['किताब पुस्तकालयों से', 2],
    ],
  },
  {
    name: 'Korean',
    notes: [
      '밀가루를 물과 섞어 반죽을 한 시간 쉬게 한 다음 오븐에서 빵을 굽는다.',
      '기차는 매일 아침 역에서 출발하여 정오에 수도에 도착한다.',
      '도서관은 학생에게 열려 있으며 책을 두 주 동안 빌릴 수 있다.',
    ],
    questions: [
      ['빵 반죽은 얼마나 쉬게 하나요', 0],
      ['기차가 수도로 출발하는 시간', 1],
      ['도서관에서 책 빌리기', 2],
    ],
  },
  {
    name: 'Japanese',
    notes: [
      '小麦粉と水を混ぜて生地を一時間休ませ、オーブンでパンを焼く。',
      '列車は毎朝駅を出発し、正午に首都に到着する。',
      '図書館は学生に開放され、本を二週間借りることができる。',
    ],
    questions: [
      ['パンの焼き方', 0],
      ['首都行きの列車はいつ出発しますか', 1],
      ['図書館で本を借りたい', 2],
    ],
  },
  {
    name: 'Vietnamese',
    notes: [
      'Trộn bột mì với nước, để bột nghỉ một giờ rồi nướng bánh mì trong lò.',
      'Tàu hỏa rời ga mỗi buổi sáng và đến thủ đô vào buổi trưa.',
      'Thư viện mở cửa cho sinh viên, có thể mượn sách trong hai tuần.',
    ],
    questions: [
      ['nướng bánh mì thế nào', 0],
      ['tau hoa den thu do luc nao', 1],
      ['mượn sách ở thư viện', 2],
    ],
  },
  {
    name: 'Turkish',
    notes: [
      'Unu suyla karıştırın, hamuru bir saat dinlendirin, sonra ekmeği fırında pişirin.',
      'Tren her sabah istasyondan kalkar ve öğlen başkente varır.',
      'Kütüphane öğrencilere açıktır, kitaplar iki haftalığına ödünç verilir.',
    ],
    questions: [
      ['EKMEK HAMURU NASIL DİNLENDİRİLİR', 0],
      ['başkentteki tren istasyonu', 1],
      ['kütüphaneden ödünç kitap almak', 2],
    ],
  },
  {
    name: 'German',
    notes: [
      'Mehl mit Wasser mischen, den Teig eine Stunde ruhen lassen, dann das Brot im Ofen backen.',
      'Der Zug fährt jeden Morgen vom Bahnhof ab und erreicht mittags die Hauptstadt.',
      'Die Bibliothek ist für Studierende geöffnet, Bücher werden für zwei Wochen ausgeliehen.',
    ],
    questions: [
      ['Teig für Brote ruhen lassen', 0],
      ['Züge zur Hauptstadt ab den Bahnhöfen', 1],
      ['Bücherausleihe in Bibliotheken', 2],
    ],
  },
  {
    name: 'Hebrew',
    notes: [
      'מערבבים קמח עם מים, מניחים את הבצק לשעה ואז אופים את הלחם בתנור.',
      'הרכבת יוצאת מהתחנה בכל בוקר ומגיעה אל עיר הבירה בצהריים.',
      'הספרייה פתוחה לסטודנטים ואפשר לשאול ספרים לשבועיים.',
    ],
    questions: [
      ['איך אופים לחם מבצק', 0],
      ['מתי רכבות יוצאות לבירה', 1],
      ['לשאול ספר בספרייה', 2],
    ],
  },
  {
    name: 'Lao',
    notes: [
      'ປະສົມແປ້ງກັບນ້ຳແລ້ວພັກແປ້ງໜຶ່ງຊົ່ວໂມງກ່ອນອົບເຂົ້າຈີ່',
      'ລົດໄຟອອກຈາກສະຖານີທຸກເຊົ້າ ແລະ ຮອດນະຄອນຫຼວງຕອນທ່ຽງ',
      'ຫໍສະໝຸດເປີດໃຫ້ນັກສຶກສາຢືມປຶ້ມໄດ້ສອງອາທິດ',
    ],
    questions: [
      ['ອົບເຂົ້າຈີ່ແນວໃດ', 0],
      ['ລົດໄຟຮອດນະຄອນຫຼວງຈັກໂມງ', 1],
      ['ຢືມປຶ້ມຈາກຫໍສະໝຸດ', 2],
    ],
  },
  {
    name: 'Burmese',
    notes: [
      'ဂျုံမှုန့်ကို ရေနှင့်ရောပြီး တစ်နာရီထားကာ ပေါင်မုန့်ကို မီးဖိုတွင် ဖုတ်ပါ။',
      'ရထားသည် နံနက်တိုင်း ဘူတာမှထွက်ခွာပြီး နေ့လယ်တွင် မြို့တော်သို့ ရောက်သည်။',
      'စာကြည့်တိုက်သည် ကျောင်းသားများအတွက် ဖွင့်ထားပြီး စာအုပ်များကို နှစ်ပတ် ငှားနိုင်သည်။',
    ],
    questions: [
      ['ပေါင်မုန့် ဘယ်လိုဖုတ်မလဲ', 0],
      ['ရထား မြို့တော်ရောက်ချိန်', 1],
      ['စာကြည့်တိုက်မှာ စာအုပ်ငှားခြင်း', 2],
    ],
  },
  {
    name: 'Khmer',
    notes: [
      'លាយម្សៅជាមួយទឹក ទុកមួយម៉ោង រួចដុតនំប៉័ងក្នុងឡ',
      'រថភ្លើងចេញពីស្ថានីយរៀងរាល់ព្រឹក ហើយទៅដល់រាជធានីនៅពេលថ្ងៃត្រង់',
      'បណ្ណាល័យបើកសម្រាប់និស្សិត អាចខ្ចីសៀវភៅបានពីរសប្តាហ៍',
    ],
    questions: [
      ['ដុតនំប៉័ងយ៉ាងដូចម្តេច', 0],
      ['រថភ្លើងទៅរាជធានី', 1],
      ['ខ្ចីសៀវភៅនៅបណ្ណាល័យ', 2],
    ],
  },
];

for (const language of LANGUAGES) {
  test(`a question in ${language.name} finds its note among those of every language`, () => {
    const index = openVaultIndex({ file: ':memory:' });
    for (const { name, notes } of LANGUAGES) {
      notes.forEach((text, at) => {
        index.putNote(parseNote(`${name}/${at}.md`, text), { hash: '', size: 0, mtimeMs: 0 });
      });
    }
    for (const [question, note] of language.questions) {
      const [best] = index.search({ query: question }).hits;
      assert.equal(best?.path, `${language.name}/${note}.md`, question);
    }
    index.close();
  });
}

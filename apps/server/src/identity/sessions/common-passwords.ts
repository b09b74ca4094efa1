/** Data of `common-password.ts`: what most lists of leaked passwords begin with. Lower case. */

/** Words and names that are common passwords alone, and with a few digits or signs before or after them. */
export const COMMON_WORDS: string = `
aaa abc abc123 abcd abcd1234 abcde abcdef abcdefg abcdefgh absolute access account acdc achilles adgangskode admin
adminadmin administrator africa again ahmed airforce airplane aisha alaska alejandra alejandro alexander alexandra
alexandre ali always amanda amazon america american amsterdam anakin anastasia anderson andreas andrew android angel
angels anthony anything apache apollo apple april aragorn argentina arizona army arsenal arthur asd asdf asdfgh
asdfghjk asdfghjkl asdzxc ashley asshole athena audi august aurelius australia austria autumn avengers azerty baby
babyboy babygirl bacon bailey ballet banana bandit bank barbara barbie barcelona bart baseball basketball bass
bastard batman bayern bbb beach bear bears beatles beautiful beckham beethoven beijing belgium believe benfica
benjamin berlin besiktas beyonce bible bienvenue biology bitch bitcoin black blackberry blackhawks blackjack
blackmetal blessed blessing blink182 blockchain blowjob blue blueberry bmw bonjour boston boxing brandon brasil
braves brazil broncos brother brown brownie bruins buddy budweiser bulls bullshit bunny burger business buster
butterfly caesar cairo california callofduty camaro camelot canada canadiens canucks cappuccino captain caramel
cardinals carolina caroline cartman casino cat catalina celtics champion change changeit changeme changethis
chargers charizard charles charlie charlotte chatgpt cheerleader cheese cheetah chelsea chemistry cherry chevrolet
chevy chicago chicken chile china chocolate christ christian christopher church ciao cinderella cinnamon cisco
cleopatra cloud clouds cobra cocksucker coconut coding coffee college colombia colorado company computer contrasena
contraseña cookie cookies cool corona corvette cougar counter counterstrike cowboys creative cricket crypto crystal
cubs cupcake cutie cycling daisy dallas dancer dancing daniel danielle darkness darling darthvader darwin database
daughter david davidson deadpool debian december default default123 delhi demo demon denmark desert deutschland
developer devil diamond dickhead dimitri doctor dodge dodgers dog dollar dolphin dolphins donald dora dortmund
douglas dragon dragonball dream dreamer dreams drums dublin duke dumbledore eagle eagles eatme eduardo egypt
einstein ekaterina elephant elizabeth elmo emerald eminem emma engineer engineering england english espana ethereum
evening everton everything example excalibur exploit facebook faith falcon fall family father fatima february fedora
fenerbahce fernando ferrari finance finland firefighter firewall firsttime fishing flight florida flower flowers
flyers football ford forest forever forgot forgotten fortnite france francisco freedom french friday friend friends
frodo fucker fucking fuckme fuckoff fuckyou gabriel gabriela galatasaray galaxy gandalf garcia garden garfield
geheim genius george georgia german germany ghost giants ginger giraffe gladiator gmail god goku gold golden golf
gonzalez goodbye goodluck goofy google gorgeous gptj gptjcloud grace graduate gray green greenday gregory gryffindor
guest guestguest guillermo guinness guitar gymnast hacker hacking hallo halo hamburg hamlet hamster handsome hannah
hardcore harley harrypotter haslo hassan hate hawaii hawk heat heaven heineken hell hello hellokitty helloworld
hercules hermione hernandez heslo hiphop history hobbit hockey hogwarts hola holland homer honda honey hope horse
hotmail hottie houston hulk hunter hunting hurricane hussain hustler ibrahim icecream ilovegod ilovehim ilovemom
iloveyou imagine incorrect india indonesia infinity initial instagram install internazionale internet invalid ipad
iphone ireland ironmaiden ironman isabella island israel istanbul italia italy ivan jackdaniels jackpot jackson
jaguar jakarta james january japan jasmine jason jasper java javascript jazz jeep jennifer jerusalem jessica jesus
jesuschrist john joker jonathan jordan joseph joshua juliet july june juniper jupiter justin juventus karachi karate
kawasaki kenny kenya kevin killer king kitten kitty knicks knight korea krakow kumar lakers lamborghini lasvegas
leafs league ledzeppelin legend legendary legends legolas lemon leopard letmein letmeinplease liberty lightning lily
linkedin linkinpark linux lion lions lisboa liverpool lkjhgfdsa login london lopez losangeles lottery love lovebug
lovely loveme lover loveyou lozinka lucifer lucky lucky7 macbeth madrid maggie magic malaysia manager manchester
maple march margaret maria marina marine mario martha martinez master matrix matthew max maximilian maximum maximus
may mazda melbourne melissa mercedes mercury merlin messi metal metallica mets mexico michael michelle michigan
mickey microsoft midnight milan milano military million millionaire minecraft minimum minnie miracle mnbvcxz mohamed
mohammed molly monday money monica monkey moon moonlight morning morpheus moscow motdepasse mother motherfucker
motorola mountain mozart muhammad mumbai munich muppet music mustang mylove mypassword myspace mysql mystery
napoleon naruto natalia natalie natasha nathan navy nemo neo neptune network never newpassword newton newyork nguyen
nicholas nicolas nicole nigeria ninja nintendo nirvana nissan nokia nopassword norway nothing nothing1 november
nurse ocean october office oldpassword oliver olivia olympus onepiece openai opensesame openup oracle orange
orchestra orchid oscar packers pakistan panther paris parola pass passw0rd passwd password passwordpassword passwort
patel patricia patrick patriots peaches pearl penguin penguins penis penthouse pepper perez perfect perl personal
peru phantom philip philippines phoenix physics piano picasso pikachu pilot pineapple pink pinkfloyd pipeline
pipelinecloud pirate pizza planet platinum playboy playstation pluto poiuytrewq pokemon poker poland police pony
porn porsche portugal postgres pretty prince princess private program programmer public puma punk puppy purple pussy
python qazwsx qazwsxedc queen qwe qweasd qweasdzxc qwerty qwerty123 qwertyui qwertyuiop qwertz rabbit rachel racing
raiders rainbow ramirez rammstein ranger rangers raven raymond realmadrid rebecca red redhat redskins redsox
remember ricardo richard rihanna river robert roberto roblox rocknroll rocky rodriguez roma romeo ronaldo rooney
root rootroot rose roses roulette router ruby rugby running russia ryan saints sakura salasana samantha sammy sample
samsung samurai sanchez santiago sapphire sarah sasuke satan saturday saturn saxophone school science scooby
scorpion scotland seahawks sebastian sebastien secret security senha seoul september sergey server service sesame
setup sex sexsex sexy shadow shakespeare shanghai shark sharma shithead shrek silver simpson singapore singer singh
sister skateboard skywalker slipknot snake snapchat sniper snoopy snowball snowboard snowflake snowman soccer
softball solaris soldier something sonic sony sophia southpark spain spanish sparky spartacus spartan special spider
spiderman spirit spongebob sporting spring spurs star starcraft starlight stars startrek starwars steelers stefan
stephanie stephen steven storm strawberry student subaru success suckit summer sunday sunflower sunny sunrise sunset
sunshine superman superpower supersonic superstar superuser support supreme surfing suzuki sweden sweetheart sweetie
swimming switch sydney system tatiana taylor teacher techno temp tempo temporary temppass temppassword tennis
tequila test tester testing testtest texas thailand thepassword thomas thunder thunderbird thursday tiger tigers
tiktok timothy tinkerbell titanium toby together tokyo toor tornado tottenham toyota trading trance trinity trombone
trooper trumpet trustme trustno trustno1 tuesday turkey turtle twitter tyler ubuntu ukraine ultimate unique universe
university unix unknown uranus user useruser valentina vanessa vanilla venezuela venus veronica viagra victoria
victory vienna vietnam vikings vincent violet violin viper virginia vladimir vodka voldemort volkswagen volleyball
wachtwoord wales warcraft warrior warriors warszawa washington watermelon wednesday welcome whale whatever whatsapp
whatsup whiskey white whoami whore william willkommen windows winner winter wizard wolf wolfgang wolverine word
wrestling wsxedc xbox xxx yahoo yamaha yankees yellow yoda yourpassword youtube zachary zelda zero zeus zurich zxc
zxcvbn zxcvbnm zzz`;

/** Common passwords that are no such word. */
export const COMMON_PASSWORDS: string = `
!qaz2wsx !qaz@wsx 00000000 00112233 01011980 01011990 01012000 0123456789 0147258369 0987654321 10203040 1029384756
11111111 1111111111 11223344 1122334455 112233445566 11235813 112358132 1123581321 12121212 12312312 123123123
123123123123 12341234 1234512345 123456123 12345678 123456789 1234567890 12345679 123456qwerty 12345qwert 1234abcd
1234qwer 123654789 123abc123 123love123 123qwe123 123qweasd 123qweasdzxc 13131313 13579246 135792468 1357924680
147258369 147852369 159357159 159753456 159951159 16777216 192837465 19851985 19861986 19871987 19881988 19891989
19901990 19911991 19921992 1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y 1qaz!qaz 1qaz2wsx 1qaz2wsx3e 1qaz2wsx3edc 1qazxsw2
20002000 22222222 2468013579 24681012 27182818 2wsx3edc 31415926 314159265 3141592654 321321321 33333333 3edc4rfv
420420420 44444444 456456456 456789123 55555555 55556666 66666666 696969696 741852963 77777777 789456123 789456123a
789789789 8675309a 87654321 88888888 963852741 987654321 9876543210 99999999 a12345678 a123456789 a1b2c3d4
a1b2c3d4e5 aa123456 aa12345678 aaa12345 abc12345 abc123456 abc123def abcabc123 abcd12345 abcd123456 abcdef123
adm1n123 admin123 admin1234 admin12345 administrator1 agent007 angel123 asd123456 asdasdasd asdf1234 asdfg123
asdfgh123 asdqwe123 autumn2024 baby1234 baseball1 batman123 blink182 bond007a cash1234 changeme123 charlie1
chocolate1 computer1 dima1995 dragon12 football1 fyfcnfcbz g00gle123 gfhjkm123 gfhjkmgfhjkm guest1234 hello123
hello1234 iloveu123 iloveyou1 iloveyou2 internet1 james007 jennifer1 jordan23 kobe2424 l3tm3in lebron23 letme1n
letmein! letmein1 liverpool1 love1234 loveyou2 master12 messi1010 michael23 michelle1 money123 monkey12 nastya123
ncc1701d ncc1701e nothing123 p@ssw0rd p@ssw0rd! p@ssw0rd1 p@ssw0rd123 p@ssword p@ssword1 pa$$w0rd pa$$word pa55w0rd
pa55word pass1234 pass12345 pass@123 pass@word1 passpass passw0rd! passw0rd1 password! password1! password12
password123 password123! password1234 password12345 passwordpass pokemon1 poop1234 princess1 q1w2e3r4 q1w2e3r4t5
q1w2e3r4t5y6 qaz123456 qazxswedc qwaszx12 qwe123456 qwe123qwe qweasd123 qweqwe123 qweqweqwe qwer1234 qwer4321
qwert123 qwert12345 qwerty1! qwerty12 qwerty123 qwerty1234 qwerty12345 qwerty123456 qwertyui1 qwertyuiop1 rjntyjr1
ronaldo7 root1234 rush2112 samsung1 secret123 sexy1234 shadow12 spring2024 spring2025 starwars1 summer2023
summer2024 summer2025 sunshine1 superman1 test1234 test12345 thx1138a trustno1 trustno12 user1234 vfhbyf123 w3lc0me
welcome1 welcome123 welcome2024 welcome2025 whatever1 winter2024 winter2025 xsw2zaq1 yfnfif12 zaq12wsx zaq1xsw2
zaq1zaq1 zxc12345 zxcv1234 zxcvbnm1 zxczxczxc`;

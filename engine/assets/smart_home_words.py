"""The homes that the smart-home commands speak of: what is in them, in English and Chinese. Made up for Tunebench."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Home:
    polite: tuple[str, ...]  # what may come before a command
    names: Mapping[str, tuple[str, ...]]  # kind of device -> names of such devices
    words: Mapping[str, tuple[str, ...]]  # list of the templates -> values


# Word lists are read as paragraphs, not one word a line.
# fmt: off
_ENGLISH_NAMES = {
    "light": ("bedside lamp", "reading light", "ceiling light", "floor lamp", "fairy lights", "desk lamp",
        "porch light", "spotlights", "chandelier", "night light", "LED strip", "pendant lamp", "mirror light"),
    "switch": ("coffee maker", "kettle", "Christmas tree", "dehumidifier", "washing machine", "electric blanket",
        "fish tank pump", "3D printer", "towel rail", "slow cooker", "doorbell chime", "router"),
    "fan": ("ceiling fan", "desk fan", "extractor fan", "tower fan", "bathroom fan"),
    "media_player": ("TV", "kitchen speaker", "record player", "soundbar", "projector", "bedroom radio",
        "Apple TV", "home cinema", "living room speakers"),
    "input_boolean": ("guest mode", "holiday mode", "quiet hours", "party mode"),
    "climate": ("thermostat", "heat pump", "underfloor heating", "air conditioner", "radiator", "boiler"),
    "scene": ("movie night", "good morning", "dinner time", "bedtime", "romantic evening", "cleaning day",
        "sunset"),
    "script": ("leaving home", "water the plants", "wake up routine", "goodnight routine", "lock everything up"),
    "binary_sensor": ("smoke detector", "front door sensor", "letterbox", "water leak sensor", "motion sensor",
        "back window"),
    "sensor": ("outdoor thermometer", "solar panels", "power meter", "rain gauge", "air quality monitor",
        "car battery"),
    "lock": ("front door", "back door", "garden gate", "shed door", "garage side door"),
    "cover": ("roller blind", "left curtain", "garage door", "patio awning", "skylight", "kitchen blinds",
        "sliding gate"),
    "valve": ("lawn sprinkler", "main water valve", "drip line", "garden tap"),
    "person": ("Anna", "Tom", "Grandma", "Priya", "Luis", "Mei", "Dad", "Sophie", "Jakob", "Olivia"),
    "weather": ("London", "Berlin", "Boston", "Nairobi", "Lisbon", "Toronto", "home", "the cabin"),
    "lawn_mower": ("robot mower", "Shaun", "front lawn mower", "Trimmy"),
    "vacuum": ("Dusty", "robot vacuum", "Rosie", "upstairs vacuum", "mop robot", "Roomba"),
    "todo": ("packing", "weekend", "chores", "garden", "work", "party", "birthday", "hardware store"),
    "button": ("restart router button", "doorbell test", "feed the cat"),
    "input_button": ("garage remote", "coffee button"),
}
_ENGLISH_WORDS = {
    "area": ("kitchen", "living room", "bedroom", "bathroom", "hallway", "dining room", "office", "nursery",
        "garage", "basement", "attic", "guest room", "laundry room", "pantry", "balcony", "patio", "study",
        "playroom", "garden", "kids room", "conservatory", "workshop"),
    "floor": ("upstairs", "downstairs", "ground level", "top level", "mezzanine", "garden level"),
    "message": ("dinner is ready", "the taxi is here in five minutes", "please come downstairs",
        "we leave at eight", "the parcel has arrived", "time to brush your teeth", "the cake is done",
        "somebody is at the door", "the meeting starts now", "quiet please, the baby is asleep",
        "the match is about to begin", "grandma is on the phone", "don't forget your lunch boxes",
        "the washing is finished"),
    "search_query": ("Abbey Road", "some jazz", "Miles Davis", "the news", "Clair de Lune", "rain sounds",
        "The Crown", "Queen", "90s rock", "Bohemian Rhapsody", "Spirited Away", "my workout mix", "Nina Simone",
        "the latest science podcast", "Beethoven's fifth", "whale songs", "Taylor Swift", "Paddington"),
    "zone": ("home", "work", "school", "the gym", "the office", "away"),
    "timer_name": ("pizza", "egg", "tea", "laundry", "homework", "nap", "cake", "pasta", "yoga", "bread", "roast",
        "bath"),
    "timer_command": ("turn off the oven", "close the blinds", "turn on the porch light", "stop the music",
        "lock the front door", "start the vacuum", "turn the heating down", "open the garage door",
        "play the news", "switch off the fan", "water the lawn"),
    "shopping_list_item": ("milk", "a dozen eggs", "olive oil", "bananas", "toilet paper", "cheddar", "batteries",
        "coffee beans", "dish soap", "rye bread", "tomatoes", "cat food", "two lemons", "oat milk", "rice",
        "light bulbs"),
    "todo_list_item": ("call the plumber", "renew my passport", "clean the gutters", "buy a gift for Max",
        "book the dentist", "repot the ficus", "change the bed sheets", "pay the rent", "print the tickets",
        "sunscreen", "fix the bike", "return the library books", "charge the camera", "feed the neighbour's cat"),
}
_CHINESE_NAMES = {
    "light": ("床头灯", "阅读灯", "吊灯", "落地灯", "彩灯", "书桌灯", "门廊灯", "射灯", "夜灯", "灯带", "镜前灯",
        "壁灯"),
    "switch": ("咖啡机", "热水壶", "除湿机", "洗衣机", "电热毯", "鱼缸水泵", "打印机", "毛巾架", "电饭煲",
        "路由器", "饮水机"),
    "fan": ("吊扇", "台扇", "排风扇", "塔扇", "落地扇"),
    "media_player": ("电视", "厨房音箱", "唱片机", "回音壁", "投影仪", "卧室收音机", "家庭影院", "客厅音响"),
    "input_boolean": ("访客模式", "度假模式", "安静模式", "派对模式"),
    "climate": ("空调", "地暖", "暖气", "新风机", "壁挂炉", "取暖器"),
    "scene": ("观影模式", "早安模式", "晚餐模式", "睡眠模式", "回家模式", "大扫除模式", "浪漫之夜"),
    "script": ("离家流程", "浇花", "起床流程", "晚安流程", "全屋上锁"),
    "binary_sensor": ("烟雾报警器", "门口传感器", "信箱", "漏水传感器", "人体感应器", "后窗传感器"),
    "sensor": ("室外温度计", "太阳能板", "电表", "雨量计", "空气质量仪", "车载电池"),
    "lock": ("前门锁", "后门锁", "院门锁", "储物间门锁", "入户门锁"),
    "cover": ("卷帘", "左侧窗帘", "车库门", "露台遮阳棚", "天窗", "厨房百叶窗", "推拉门"),
    "valve": ("草坪喷头", "总水阀", "滴灌阀", "花园水龙头", "燃气阀"),
    "person": ("小明", "妈妈", "奶奶", "王芳", "李雷", "爸爸", "张伟", "姐姐", "陈静", "小宝"),
    "weather": ("北京", "上海", "成都", "哈尔滨", "广州", "西安", "家里", "杭州"),
    "lawn_mower": ("割草机器人", "小绿", "前院割草机", "草坪管家"),
    "vacuum": ("小白", "扫地机器人", "扫地机", "楼上的扫地机", "拖地机器人", "阿尘"),
    "todo": ("行李清单", "周末清单", "家务清单", "花园清单", "工作清单", "聚会清单", "生日清单"),
}
_CHINESE_WORDS = {
    "area": ("厨房", "客厅", "卧室", "浴室", "走廊", "餐厅", "书房", "婴儿房", "车库", "地下室", "阁楼", "客房",
        "洗衣房", "储藏室", "阳台", "露台", "办公室", "游戏室", "花园", "儿童房", "主卧", "玄关"),
    "floor": ("一楼", "二楼", "三楼", "顶楼", "负一楼", "楼上", "楼下"),
    "message": ("饭做好了", "出租车五分钟后到", "大家下楼一趟", "我们八点出发", "快递到了", "该刷牙了",
        "蛋糕烤好了", "有人在敲门", "会议马上开始", "小声点宝宝睡着了", "比赛快开始了", "奶奶来电话了",
        "别忘了带饭盒", "衣服洗好了"),
    "zone": ("家", "公司", "学校", "健身房", "办公室", "外面"),
    "timer_name": ("披萨", "煮蛋", "泡茶", "洗衣", "作业", "午睡", "蛋糕", "煮面", "瑜伽", "烤面包", "炖肉",
        "泡脚"),
    "timer_command": ("关烤箱", "拉上窗帘", "打开门廊灯", "停止播放音乐", "锁上前门", "启动扫地机", "调低暖气",
        "打开车库门", "播放新闻", "关掉风扇", "给草坪浇水"),
    "shopping_list_item": ("牛奶", "一打鸡蛋", "橄榄油", "香蕉", "卫生纸", "奶酪", "电池", "咖啡豆", "洗洁精",
        "全麦面包", "西红柿", "猫粮", "两个柠檬", "豆浆", "大米", "灯泡", "酱油"),
    "todo_list_item": ("给水管工打电话", "换护照", "清理排水沟", "给小李买礼物", "预约牙医", "给绿萝换盆",
        "换床单", "交房租", "打印车票", "防晒霜", "修自行车", "还图书馆的书", "给相机充电", "喂邻居家的猫"),
}
# fmt: on

HOMES: dict[str, Home] = {
    "en": Home(("please ", "can you ", "could you ", "would you "), _ENGLISH_NAMES, _ENGLISH_WORDS),
    "zh": Home(("请", "麻烦你", "帮我", "请帮我"), _CHINESE_NAMES, _CHINESE_WORDS),
}

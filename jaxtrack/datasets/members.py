"""Members of the benchmarks whose lists are fixed and public.

OTB2015 and its harder half TB-50: Wu et al., TPAMI 2015, with the two targets each of
Jogging and Skating2 apart. UAV123: the authors' table of cut-outs. NfS, LaSOT's test
split (protocol II) and VOT2018: as their evaluation codes list them.
"""

OTB50 = tuple(
    """
Basketball Biker Bird1 BlurBody BlurCar2 BlurFace BlurOwl Bolt Box Car1 Car4 CarDark
CarScale ClifBar Couple Crowds David Deer Diving DragonBaby Dudek Football Freeman4
Girl Human3 Human4 Human6 Human9 Ironman Jump Jumping Liquor Matrix MotorRolling
Panda RedTeam Shaking Singer2 Skating1 Skating2-1 Skating2-2 Skiing Soccer Surfer
Sylvester Tiger2 Trellis Walking Walking2 Woman
""".split()
)
OTB100 = (
    *OTB50,
    *"""
Bird2 BlurCar1 BlurCar3 BlurCar4 Board Bolt2 Boy Car2 Car24 Coke Coupon Crossing
Dancer Dancer2 David2 David3 Dog Dog1 Doll FaceOcc1 FaceOcc2 Fish FleetFace
Football1 Freeman1 Freeman3 Girl2 Gym Human2 Human5 Human7 Human8 Jogging-1
Jogging-2 KiteSurf Lemming Man Mhyang MountainBike Rubik Singer1 Skater Skater2
Subway Suv Tiger1 Toy Trans Twinnings Vase
""".split(),
)
# First and last number of the images that count, where these are not all of them.
OTB_FRAMES = {
    "BlurCar1": (247, 988),
    "BlurCar3": (3, 359),
    "BlurCar4": (18, 397),
    "David": (300, 770),
    "Diving": (1, 215),
    "Football1": (1, 74),
    "Freeman3": (1, 460),
    "Freeman4": (1, 283),
    "Tiger1": (1, 354),
}

# Folder -> first and last image of each cut-out, `folder_1`, `folder_2`, ...
UAV123_CUTS = {
    "bird1": ((1, 253), (775, 1477), (1573, 2437)),
    "car1": ((1, 751), (751, 1627), (1627, 2629)),
    "car6": ((1, 487), (487, 1807), (1807, 2953), (2953, 3925), (3925, 4861)),
    "car8": ((1, 1357), (1357, 2575)),
    "car16": ((1, 415), (415, 1993)),
    "group1": ((1, 1333), (1333, 2515), (2515, 3925), (3925, 4873)),
    "group2": ((1, 907), (907, 1771), (1771, 2683)),
    "group3": ((1, 1567), (1567, 2827), (2827, 4369), (4369, 5527)),
    "person2": ((1, 1189), (1189, 2623)),
    "person4": ((1, 1501), (1501, 2743)),
    "person5": ((1, 877), (877, 2101)),
    "person7": ((1, 1249), (1249, 2065)),
    "person8": ((1, 1075), (1075, 1525)),
    "person12": ((1, 601), (601, 1621)),
    "person14": ((1, 847), (847, 1813), (1813, 2923)),
    "person17": ((1, 1501), (1501, 2347)),
    "person19": ((1, 1243), (1243, 2791), (2791, 4357)),
    "truck4": ((1, 577), (577, 1261)),
    "uav1": ((1, 1555), (1555, 2377), (2473, 3469)),
}
# Series -> the numbers of its uncut sequences.
_UAV123_WHOLE = {
    "bike": (1, 2, 3),
    "boat": range(1, 10),
    "building": range(1, 6),
    "car": ("1_s", 2, "2_s", 3, "3_s", 4, "4_s", 5, 7, *range(9, 16), 17, 18),
    "person": (1, "1_s", "2_s", 3, "3_s", 6, 9, 10, 11, 13, 15, 16, 18, *range(20, 24)),
    "truck": (1, 2, 3),
    "uav": range(2, 9),
    "wakeboard": range(1, 11),
}
UAV123 = tuple(
    sorted(
        [f"{kind}{n}" for kind, numbers in _UAV123_WHOLE.items() for n in numbers]
        + [
            f"{folder}_{n}"
            for folder, cuts in UAV123_CUTS.items()
            for n in range(1, len(cuts) + 1)
        ]
    )
)

NFS = tuple(
    """
Gymnastics MachLoop_jet Skiing_red Skydiving airboard_1 airplane_landing airtable_3
basketball_1 basketball_2 basketball_3 basketball_6 basketball_7 basketball_player
basketball_player_2 beach_flipback_person bee biker_acrobat biker_all_1 biker_head_2
biker_head_3 biker_upper_body biker_whole_body billiard_2 billiard_3 billiard_6
billiard_7 billiard_8 bird_2 book bottle bowling_1 bowling_2 bowling_3 bowling_6
bowling_ball bunny car car_camaro car_drifting car_jumping car_rc_rolling
car_rc_rotating car_side car_white cheetah cup cup_2 dog dog_1 dog_2 dog_3 dogs
dollar drone ducks_lake exit first flower footbal_skill helicopter horse_jumping
horse_running iceskating_6 jellyfish_5 kid_swing motorcross motorcross_kawasaki
parkour person_scooter pingpong_2 pingpong_7 pingpong_8 purse rubber running
running_100_m running_100_m_2 running_2 shuffleboard_1 shuffleboard_2 shuffleboard_4
shuffleboard_5 shuffleboard_6 shuffletable_2 shuffletable_3 shuffletable_4 ski_long
soccer_ball soccer_ball_2 soccer_ball_3 soccer_player_2 soccer_player_3 stop_sign
suv tiger walking walking_3 water_ski_2 yoyo zebra_fish
""".split()
)

_LASOT_TEST = """
airplane 1 9 13 15; basketball 1 6 7 11; bear 2 4 6 17; bicycle 2 7 9 18; bird 2 3
15 17; boat 3 4 12 17; book 3 10 11 19; bottle 1 12 14 18; bus 2 5 17 19; car 2 6 9
17; cat 1 3 18 20; cattle 2 7 12 13; chameleon 3 6 11 20; coin 3 6 7 18; crab 3 6 12
18; crocodile 3 4 10 14; cup 1 4 7 17; deer 4 8 10 14; dog 1 7 15 19; drone 2 7 13
15; electricfan 1 10 18 20; elephant 1 12 16 18; flag 2 3 5 9; fox 2 3 5 20; frog 3
4 9 20; gametarget 1 2 7 13; gecko 1 5 16 19; giraffe 2 10 13 15; goldfish 3 7 8 10;
gorilla 4 6 9 13; guitar 3 8 10 16; hand 2 3 9 16; hat 1 2 5 18; helmet 5 11 13 19;
hippo 1 7 9 20; horse 1 4 12 15; kangaroo 2 5 11 14; kite 4 6 10 15; leopard 1 7 16
20; licenseplate 6 12 13 15; lion 1 5 12 20; lizard 1 3 6 13; microphone 2 6 14 16;
monkey 3 4 9 17; motorcycle 1 3 9 18; mouse 1 8 9 17; person 1 5 10 12; pig 2 10 13
18; pool 3 7 12 15; rabbit 10 13 17 19; racing 10 15 16 20; robot 1 5 8 19;
rubicCube 1 6 14 19; sepia 6 8 13 16; shark 2 3 5 6; sheep 3 5 7 9; skateboard 3 8
16 19; spider 14 16 18 20; squirrel 8 11 13 19; surfboard 4 5 8 12; swing 10 14 17
20; tank 6 9 14 16; tiger 4 6 12 18; train 1 7 11 20; truck 3 6 7 16; turtle 5 8 9
16; umbrella 2 9 17 19; volleyball 1 13 18 19; yoyo 7 15 17 19; zebra 10 14 16 17
"""
LASOT_TEST = tuple(
    f"{words[0]}-{number}"
    for words in (line.split() for line in _LASOT_TEST.split(";"))
    for number in words[1:]
)

LASOT_EXTENSION = tuple(
    f"{name}-{number}"
    for name in """
atv badminton cosplay dancingshoe footbag frisbee jianzi lantern misc opossum paddle
raccoon rhino skatingshoe wingsuit
""".split()
    for number in range(1, 11)
)

VOT2018 = tuple(
    """
ants1 ants3 bag ball1 ball2 basketball birds1 blanket bmx bolt1 bolt2 book butterfly
car1 conduction1 crabs1 crossing dinosaur drone_across drone_flip drone1 fernando
fish1 fish2 fish3 flamingo1 frisbee girl glove godfather graduate gymnastics1
gymnastics2 gymnastics3 hand handball1 handball2 helicopter iceskater1 iceskater2
leaves matrix motocross1 motocross2 nature pedestrian1 rabbit racing road shaking
sheep singer2 singer3 soccer1 soccer2 soldier tiger traffic wiper zebrafish1
""".split()
)

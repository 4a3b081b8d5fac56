"""Which SQL functions a read-only statement may call: everything that is not listed is refused.

sqlglot knows some 570 functions by a class of their own; the set changes with its minor versions,
so a test demands that every class is listed in one of the two sets below. All others arrive by
name (`exp.Anonymous`) and are looked up per dialect.
"""

from __future__ import annotations


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


TYPED = _names(
    """
    Abs Acos Acosh AddMonths And AnyValue Apply ApproxDistinct ApproxPercentileAccumulate
    ApproxPercentileCombine ApproxPercentileEstimate ApproxQuantile ApproxQuantiles ApproxTopK
    ApproxTopKAccumulate ApproxTopKCombine ApproxTopKEstimate ApproxTopSum
    ApproximateSimilarity ArgMax ArgMin Array ArrayAgg ArrayAll ArrayAny ArrayAppend
    ArrayCompact ArrayConcat ArrayConcatAgg ArrayConstructCompact ArrayContainedBy
    ArrayContains ArrayContainsAll ArrayDistinct ArrayExcept ArrayFilter ArrayFirst
    ArrayInsert ArrayIntersect ArrayLast ArrayMax ArrayMin ArrayOverlaps ArrayPosition
    ArrayPrepend ArrayRemove ArrayRemoveAt ArrayReverse ArraySize ArraySlice ArraySort
    ArraySum ArrayToString ArrayUnionAgg ArrayUniqueAgg ArraysZip Ascii Asin Asinh Atan Atan2
    Atanh Avg Base64DecodeBinary Base64DecodeString Base64Encode BitLength BitmapBitPosition
    BitmapBucketNumber BitmapConstructAgg BitmapCount BitmapOrAgg BitwiseAndAgg BitwiseCount
    BitwiseOrAgg BitwiseXorAgg Booland Boolnot Boolor BoolxorAgg ByteLength Case Cast
    CastToStrType Cbrt Ceil CheckJson CheckXml Chr CityHash64 Coalesce CodePointsToBytes
    CodePointsToString Collate Collation Columns Compress Concat ConcatWs ConnectByRoot
    Contains Convert ConvertTimezone ConvertToCharset Corr Cos Cosh CosineDistance Cot Coth
    Count CountIf CovarPop CovarSamp Csc Csch CumeDist CurrentCatalog CurrentDatabase
    CurrentDate CurrentDatetime CurrentSchema CurrentSchemas CurrentTime CurrentTimestamp
    CurrentTimestampLTZ CurrentTimezone Date DateAdd DateBin DateDiff DateFromParts
    DateFromUnixDate DateStrToDate DateSub DateToDateStr DateToDi DateTrunc Datetime
    DatetimeAdd DatetimeDiff DatetimeSub DatetimeTrunc Day DayOfMonth DayOfWeek DayOfWeekIso
    DayOfYear Dayname Decode DecodeCase DecompressBinary DecompressString Degrees DenseRank
    DiToDate DotProduct Elt Encode EndsWith EqualNull EuclideanDistance Exists Exp Explode
    ExplodingGenerateSeries Extract Factorial FarmFingerprint First FirstValue Flatten Float64
    Floor Format FromBase FromBase32 FromBase64 FromISO8601Date FromISO8601Timestamp
    FromISO8601TimestampNanos FromJson GapFill GenerateDateArray GenerateSeries
    GenerateTimestampArray Generator GetExtract GetIgnoreCase Getbit Greatest GroupConcat
    Grouping GroupingId HashAgg Hex HexDecodeString Hll Host Hour If Initcap Inline Int64
    IsArray IsAscii IsInf IsNan IsNullValue JSONArray JSONArrayAgg JSONArrayAppend
    JSONArrayContains JSONArrayInsert JSONBContains JSONBContainsAllTopKeys
    JSONBContainsAnyTopKeys JSONBContainsTopKey JSONBDeleteAtPath JSONBExists JSONBExtract
    JSONBExtractScalar JSONBObjectAgg JSONBPathExists JSONBool JSONCast JSONExists JSONExtract
    JSONExtractArray JSONExtractScalar JSONFormat JSONKeys JSONKeysAtDepth JSONObject
    JSONObjectAgg JSONRemove JSONSet JSONStripNulls JSONTable JSONType JSONValueArray
    JarowinklerSimilarity JustifyDays JustifyHours JustifyInterval Kurtosis Lag Last LastDay
    LastValue LaxBool LaxFloat64 LaxInt64 LaxString Lead Least Left Length Levenshtein List Ln
    Localtime Localtimestamp Log LogicalAnd LogicalOr Lower LowerHex MD5 MD5Digest
    MD5NumberLower64 MD5NumberUpper64 MakeInterval ManhattanDistance Map MapCat MapContainsKey
    MapDelete MapFromEntries MapInsert MapKeys MapPick MapSize MatchAgainst Max Median Min
    Minhash MinhashCombine Minute Mode Month Monthname MonthsBetween Nanvl Negative NextDay
    Normal Normalize NthValue Ntile Nullif NumberToStr Nvl2 ObjectAgg ObjectInsert OpenJSON Or
    Overlay Pad ParseBignumeric ParseDatetime ParseIp ParseJSON ParseNumeric ParseTime
    ParseUrl PercentRank PercentileCont PercentileDisc Pi Posexplode PosexplodeOuter Pow
    PreviousDay Quantile Quarter Radians Rand Randn Randstr RangeBucket RangeN Rank Reduce
    RegDomain RegexpCount RegexpExtract RegexpExtractAll RegexpFullMatch RegexpILike
    RegexpInstr RegexpLike RegexpReplace RegexpSplit RegexpSubstr RegrAvgx RegrAvgy RegrCount
    RegrIntercept RegrR2 RegrSlope RegrSxx RegrSxy RegrSyy RegrValx RegrValy Repeat Replace
    Reverse Right Rint Round RowNumber RtrimmedLength SHA SHA1Digest SHA2 SHA2Digest SafeAdd
    SafeConvertBytesToString SafeDivide SafeMultiply SafeNegate SafeSubtract Search SearchIp
    Sec Sech Second Seq1 Seq2 Seq4 Seq8 Shuffle Sign Sin Sinh Skewness Soundex SoundexP123
    Space Split SplitPart SplitToTable Sqrt StDistance StPoint Stack StandardHash StarMap
    StartsWith Stddev StddevPop StddevSamp StrPosition StrToDate StrToMap StrToTime StrToUnix
    String StringToArray StripNullValue Strtok StrtokSplitToTable StrtokToArray Struct
    StructExtract Stuff Substring SubstringIndex Sum Systimestamp Tan Tanh Time TimeAdd
    TimeDiff TimeFromParts TimeSlice TimeStrToDate TimeStrToTime TimeStrToUnix TimeSub
    TimeToStr TimeToTimeStr TimeToUnix TimeTrunc Timestamp TimestampAdd TimestampDiff
    TimestampFromParts TimestampLtzFromParts TimestampSub TimestampTrunc TimestampTzFromParts
    ToArray ToBase32 ToBase64 ToBinary ToBoolean ToChar ToCodePoints ToDays ToDecfloat
    ToDouble ToMap ToNumber ToVariant Transform Translate Trim Trunc Try TryBase64DecodeBinary
    TryBase64DecodeString TryCast TryHexDecodeBinary TryHexDecodeString TryToDecfloat
    TsOrDiToDi TsOrDsAdd TsOrDsDiff TsOrDsToDate TsOrDsToDateStr TsOrDsToDatetime TsOrDsToTime
    TsOrDsToTimestamp Typeof Unhex Unicode Uniform UnixDate UnixMicros UnixMillis UnixSeconds
    UnixToStr UnixToTime UnixToTimeStr Unnest Upper UtcDate UtcTime UtcTimestamp Uuid VarMap
    Variance VariancePop Week WeekOfYear WeekStart WeightString WidthBucket XMLElement XMLGet
    XMLTable Xor Year YearOfWeek YearOfWeekIso Zipf _ExplodeOuter
    """
)
"""Classes of `sqlglot.exp` that only compute on their arguments."""

REFUSED_TYPED = _names(
    """
    AIAgg AIClassify AIEmbed AIForecast AIGenerate AISimilarity AISummarizeAgg Agg AggFunc
    Anonymous AnonymousAggFunc CombinedAggFunc CombinedParameterizedAgg CurrentAccount
    CurrentAccountName CurrentAvailableRoles CurrentClient CurrentIpAddress
    CurrentOrganizationName CurrentOrganizationUser CurrentRegion CurrentRole CurrentRoleType
    CurrentSecondaryRoles CurrentSession CurrentStatement CurrentTransaction CurrentUser
    CurrentUserId CurrentVersion CurrentWarehouse Decrypt DecryptRaw DynamicIdentifier Encrypt
    EncryptRaw FeaturesAtTime GenerateBool GenerateDouble GenerateEmbedding GenerateInt
    GenerateTable GenerateText MLForecast MLTranslate NetFunc NextValueFor ObjectId
    ObjectTransform ParameterizedAgg Predict ReadCSV ReadParquet SafeFunc Secret SessionUser
    ToFile VectorSearch
    """
)
"""Classes that reach outside (files, network, models, secrets), change state or tell who is logged
in, and those whose name has to be looked up first."""

_DUCKDB = _names(
    """
    age aggregate ago arbitrary arg_max_null arg_max_nulls_last arg_min_null
    arg_min_nulls_last array_aggr array_aggregate array_apply array_cosine_distance
    array_cosine_similarity array_cross_product array_distance array_dot_product array_extract
    array_grade_up array_has_any array_indexof array_inner_product array_negative_dot_product
    array_negative_inner_product array_pop_back array_pop_front array_push_back
    array_push_front array_reduce array_resize array_reverse_sort array_select array_sort
    array_to_json array_transform array_unique array_value array_where array_zip bar base64
    bin binom bit_count bit_position bitstring bitstring_agg cardinality cast_to_type century
    current_localtime damerau_levenshtein date_part date_sub datepart datesub days_in_month
    decade decimal_average decimal_division element_at entropy enum_first enum_last enum_range
    enum_range_boundary epoch_ns epoch_us era even favg fdiv fmod format_bytes format_type
    from_binary from_json_strict fsum gamma gcd geomean geometric_mean get_current_timestamp
    grade_up greatest_common_divisor hamming hash histogram histogram_exact isfinite isoyear
    jaccard jaro_similarity json_array_length json_contains json_deep_merge json_exists
    json_group_array json_group_object json_group_structure json_insert json_merge_patch
    json_merge_patch_diff json_normalize json_pretty json_quote json_replace json_structure
    json_transform json_transform_strict json_valid json_value julian kahan_sum kurtosis_pop
    lcm least_common_multiple left_grapheme length_grapheme lgamma list_aggr list_aggregate
    list_any_value list_apply list_approx_count_distinct list_avg list_bit_and list_bit_or
    list_bit_xor list_bool_and list_bool_or list_cat list_cosine_similarity list_count
    list_dot_product list_element list_entropy list_extract list_first list_grade_up
    list_has_all list_histogram list_indexof list_inner_product list_intersect list_kurtosis
    list_kurtosis_pop list_last list_mad list_median list_mode list_negative_dot_product
    list_negative_inner_product list_pack list_position list_product list_reduce list_resize
    list_reverse list_reverse_sort list_select list_sem list_skewness list_slice list_sort
    list_stddev_pop list_stddev_samp list_string_agg list_sum list_unique list_var_pop
    list_var_samp list_where list_zip lttb mad make_timestamp_ms make_timestamp_ns
    make_timestamptz map_concat map_contains map_contains_entry map_contains_value map_entries
    map_extract map_extract_value map_values md5_number md5_number_lower md5_number_upper mean
    microsecond millennium millisecond mismatches nanosecond nextafter nfc_normalize
    normalized_interval now octet_length ord parse_formatted_bytes pg_typeof prefix printf
    product regexp_escape regexp_split_to_array regexp_split_to_table reservoir_quantile
    right_grapheme round_even roundbankers row row_to_json sem set_bit signbit strip_accents
    strlen struct_concat struct_contains struct_extract_at struct_has struct_indexof
    struct_insert struct_keys struct_position struct_update struct_values substring_grapheme
    suffix sum_no_overflow sumkahan switch timezone timezone_hour timezone_minute to_base
    to_centuries to_decades to_hours to_json to_microseconds to_millennia to_milliseconds
    to_minutes to_months to_quarters to_seconds to_weeks to_years try_strptime unbin
    union_extract union_tag union_value unpivot_list url_decode url_encode
    uuid_extract_timestamp uuid_extract_version uuidv4 uuidv7 wavg weekday weighted_avg
    yearweek
    """
)
"""Scalar, aggregate and macro functions of DuckDB 2.0 without those that read settings, files,
variables or sequences, sleep, log, or run SQL given as text."""

_POSTGRES = _names(
    """
    acosd age array_dims array_fill array_length array_lower array_ndims array_remove
    array_replace array_upper asind atan2d atand bit_and bit_or bit_xor bool_and bool_or btrim
    cardinality century char_length chr clock_timestamp convert_from cosd date_bin date_part
    daterange decade div every gcd generate_subscripts hashtext hashtextextended height
    initcap int4range int8range isempty isfinite isnan json_agg json_array_elements
    json_array_elements_text json_array_length json_build_object json_each json_each_text
    json_object json_object_agg json_object_keys json_typeof jsonb_agg jsonb_array_elements
    jsonb_array_elements_text jsonb_array_length jsonb_build_object jsonb_each jsonb_each_text
    jsonb_extract_path jsonb_extract_path_text jsonb_object jsonb_object_agg jsonb_object_keys
    jsonb_path_query jsonb_pretty jsonb_set jsonb_strip_nulls jsonb_typeof justify_days lcm
    lower_inc make_date make_interval make_time make_timestamp make_timestamptz now
    num_nonnulls num_nulls numrange octet_length quote_literal range_agg regexp_matches
    regexp_split_to_array regexp_split_to_table row_to_json scale similarity sind
    statement_timestamp string_to_array tand timeofday to_ascii to_hex to_json to_jsonb
    trim_scale tsrange tstzrange unaccent upper_inc width_bucket
    """
)
"""PostgreSQL."""

_REDSHIFT = _names(
    """
    acosd age array_dims array_fill array_length array_lower array_ndims array_remove
    array_replace array_upper asind atan2d atand bit_and bit_or bit_xor bool_and bool_or btrim
    cardinality century char_length chr clock_timestamp convert_from convert_timezone cosd
    crc32 date_bin date_part datepart daterange decade decode_base64 div every
    farmfingerprint64 fnv_hash func_sha1 gcd generate_subscripts getdate hashtext
    hashtextextended height initcap int4range int8range is_valid_json is_valid_json_array
    isempty isfinite isnan json_agg json_array_elements json_array_elements_text
    json_array_length json_build_object json_each json_each_text
    json_extract_array_element_text json_extract_path_text json_object json_object_agg
    json_object_keys json_parse json_serialize json_typeof jsonb_agg jsonb_array_elements
    jsonb_array_elements_text jsonb_array_length jsonb_build_object jsonb_each jsonb_each_text
    jsonb_extract_path jsonb_extract_path_text jsonb_object jsonb_object_agg jsonb_object_keys
    jsonb_path_query jsonb_pretty jsonb_set jsonb_strip_nulls jsonb_typeof justify_days lcm
    listagg lower_inc make_date make_interval make_time make_timestamp make_timestamptz
    months_between murmur3_32_hash now num_nonnulls num_nulls numrange nvl octet_length
    quote_literal range_agg ratio_to_report regexp_count regexp_instr regexp_matches
    regexp_split_to_array regexp_split_to_table row_to_json scale similarity sind
    statement_timestamp string_to_array strtol sysdate tand timeofday to_ascii to_hex to_json
    to_jsonb to_timestamp trim_scale tsrange tstzrange unaccent upper_inc width_bucket
    """
)
"""Redshift."""

_SNOWFLAKE = _names(
    """
    array_agg array_cat array_construct array_to_string array_unique_agg as_array as_boolean
    as_char as_date as_decimal as_double as_integer as_number as_object as_time
    as_timestamp_ntz as_varchar base64_decode_string base64_encode bitand bitnot bitor
    bitshiftleft bitshiftright bitxor booland_agg boolor_agg boolxor_agg charindex collate
    contains date_from_parts date_part datediff div0 div0null editdistance equal_null get
    get_path h3_latlng_to_cell hash haversine hex_encode hll iff ifnull insert is_array
    is_boolean is_char is_date is_decimal is_double is_integer is_null_value is_object is_real
    is_time is_timestamp_ntz is_varchar jarowinkler_similarity listagg ltrim
    md5_number_lower64 md5_number_upper64 monthname nullifzero nvl object_agg object_construct
    object_construct_keep_null object_delete object_keys object_pick octet_length parse_ip
    ratio_to_report regexp_substr_all regr_count round rpad rtrim sha1_hex sha2_hex
    split_to_table square st_distance st_makepoint strip_null_value strtok_split_to_table
    sysdate time_from_parts timeadd timediff to_array to_binary to_char to_date to_decimal
    to_double to_geography to_json to_number to_numeric to_object to_time to_timestamp
    to_timestamp_ltz to_timestamp_ntz to_timestamp_tz to_varchar to_variant to_xml truncate
    try_parse_json try_to_binary try_to_boolean try_to_date try_to_decimal try_to_double
    try_to_number try_to_numeric try_to_time try_to_timestamp try_to_timestamp_ltz
    try_to_timestamp_ntz try_to_timestamp_tz typeof unicode uuid_string zeroifnull
    """
)
"""Snowflake."""

_BIGQUERY = _names(
    """
    any_value approx_count_distinct array_is_distinct array_length bit_and bit_count bit_or
    bit_xor byte_length bytes_to_string char_length code_points_to_string countif
    current_datetime div format_date format_datetime format_time format_timestamp
    generate_uuid ieee_divide int64 is_inf is_nan json_query json_query_array json_value
    json_value_array lax_bool lax_string logical_and logical_or normalize_and_casefold
    octet_length offset ordinal parse_date parse_datetime parse_json parse_timestamp
    range_bucket safe_cast safe_convert_bytes_to_string safe_offset safe_ordinal st_astext
    st_distance st_geogpoint st_within timestamp_seconds to_json to_json_string unix_date
    unix_micros unix_millis unix_seconds
    """
)
"""BigQuery."""

_DATABRICKS = _names(
    """
    aggregate approx_count_distinct array_repeat array_zip arrays_overlap bround concat_ws
    crc32 date_part dayofweek decimal element_at elt exists filter find_in_set forall
    from_json from_unixtime from_utc_timestamp get_json_object getbit hash inline_outer
    isnotnull isnull json_array_length json_object_keys json_tuple last_day locate make_date
    make_timestamp map_concat map_entries map_filter map_from_arrays map_zip_with
    monotonically_increasing_id months_between named_struct next_day now nvl parse_url
    percentile percentile_approx pmod positive quarter regr_count schema_of_json sentences
    sequence shiftleft shiftright size slice sort_array soundex split_part str_to_map
    timestamp_micros timestamp_millis timestamp_seconds to_csv to_json to_timestamp_ntz
    to_utc_timestamp transform_keys transform_values try_add try_divide try_element_at
    try_multiply try_subtract try_to_number try_to_timestamp typeof unix_date weekday xxhash64
    zip_with
    """
)
"""Databricks and Spark."""

_BY_NAME = {
    "duckdb": _DUCKDB,
    "postgres": _POSTGRES,
    "redshift": _REDSHIFT,
    "snowflake": _SNOWFLAKE,
    "bigquery": _BIGQUERY,
    "databricks": _DATABRICKS,
    "spark": _DATABRICKS,
}

TABLE_FUNCTIONS = frozenset({"generate_series", "range", "generator", "flatten", "split_to_table"})
"""Functions without access to anything outside that may stand in FROM."""


def known_by_name(name: str, dialect: str) -> bool:
    """Whether a function that sqlglot has no class for is known to be harmless there."""
    return name.lower() in _BY_NAME.get(dialect, frozenset())

"""Functions of Databricks and Spark that only compute.

Left out: `ai_*`, `secret`, `http_request`, `read_*`, `remote_query`, `reflect`, `java_method`,
`input_file_*`, formats that may fetch a schema (`from_avro`, `from_protobuf`), encryption, and what
tells of the session.
"""

from __future__ import annotations

DATABRICKS = """
    aggregate any any_value approx_count_distinct approx_percentile approx_top_k
    approx_top_k_accumulate approx_top_k_combine approx_top_k_estimate array array_append
    array_compact array_contains array_distinct array_except array_insert array_intersect
    array_join array_max array_min array_position array_prepend array_remove array_repeat
    array_size array_sort array_union array_zip arrays_overlap arrays_zip assert_true base64
    bigint bin binary bit_and bit_count bit_get bit_or bit_reverse bit_xor bitmap_and_agg
    bitmap_bit_position bitmap_bucket_number bitmap_construct_agg bitmap_count bitmap_or_agg
    bool_and bool_or boolean bround cardinality charindex collate collation collations
    collect_list collect_set contains conv convert_timezone count_if count_min_sketch crc32
    csc curdate current_catalog current_database current_schema current_timezone date date_add
    date_diff date_format date_from_unix_date date_sub dateadd datediff datepart day dayname
    decimal decode double e element_at elt encode endswith equal_null every exists explode
    explode_outer expm1 extract filter find_in_set first float forall format_number
    format_string from_csv from_json from_unixtime from_utc_timestamp from_xml get
    get_json_object getbit getdate h3_boundaryasgeojson h3_boundaryaswkb h3_boundaryaswkt
    h3_centerasgeojson h3_centeraswkb h3_centeraswkt h3_compact h3_coverash3
    h3_coverash3string h3_distance h3_h3tostring h3_hexring h3_ischildof h3_ispentagon
    h3_isvalid h3_kring h3_kringdistances h3_longlatash3 h3_longlatash3string h3_maxchild
    h3_minchild h3_pointash3 h3_pointash3string h3_polyfillash3 h3_polyfillash3string
    h3_resolution h3_stringtoh3 h3_tessellateaswkb h3_tochildren h3_toparent h3_try_coverash3
    h3_try_distance h3_try_polyfillash3 h3_try_validate h3_uncompact h3_validate hash hex
    histogram_numeric hll_sketch_agg hll_sketch_estimate hll_union hll_union_agg hour hypot
    iff ilike inline inline_outer int is_valid_utf8 is_variant_null isnan isnotnull
    json_object_keys json_tuple kll_sketch_agg_bigint kurtosis last levenshtein like locate
    log1p luhn_check make_date make_dt_interval make_interval make_time make_timestamp
    make_timestamp_ltz make_timestamp_ntz make_valid_utf8 make_ym_interval map map_concat
    map_contains_key map_entries map_filter map_from_arrays map_from_entries map_keys
    map_values map_zip_with mask max_by mean min_by minute mode monotonically_increasing_id
    month named_struct nanvl negative next_day nullifzero parse_json parse_url percentile
    percentile_approx pmod posexplode posexplode_outer positive printf product quote
    raise_error randn randstr range reduce regexp regexp_extract_all rint rlike schema_of_csv
    schema_of_json schema_of_json_agg schema_of_variant schema_of_variant_agg schema_of_xml
    sec second sentences sequence session_window sha sha1 sha2 shiftleft shiftright
    shiftrightunsigned shuffle signum size skewness slice smallint some sort_array space
    spark_partition_id split sql_keywords st_addpoint st_area st_asbinary st_asewkb st_asewkt
    st_asgeojson st_astext st_aswkb st_aswkt st_azimuth st_boundary st_buffer st_centroid
    st_closestpoint st_concavehull st_contains st_convexhull st_covers st_difference
    st_dimension st_disjoint st_distance st_distancesphere st_distancespheroid st_dump
    st_dwithin st_endpoint st_envelope st_envelope_agg st_equals st_estimatesrid
    st_exteriorring st_flipcoordinates st_force2d st_geogarea st_geogfromgeojson
    st_geogfromtext st_geogfromwkb st_geogfromwkt st_geoglength st_geogperimeter st_geohash
    st_geometryn st_geometrytype st_geomfromewkt st_geomfromgeohash st_geomfromgeojson
    st_geomfromtext st_geomfromwkb st_geomfromwkt st_interiorringn st_intersection
    st_intersects st_isempty st_isvalid st_length st_linestring st_m st_makeline
    st_makepolygon st_multi st_ndims st_npoints st_numgeometries st_numinteriorrings
    st_perimeter st_point st_pointfromgeohash st_pointn st_reverse st_rotate st_scale
    st_setpoint st_setsrid st_simplify st_srid st_startpoint st_touches st_transform
    st_translate st_union st_union_agg st_within st_x st_xmax st_xmin st_y st_ymax st_ymin
    st_z stack startswith std str_to_map string struct substring_index theta_difference
    theta_intersection theta_sketch_agg theta_sketch_estimate theta_union theta_union_agg
    timediff timestamp timestamp_micros timestamp_millis timestamp_seconds timestampadd
    timestampdiff tinyint to_binary to_csv to_geography to_geometry to_json to_timestamp_ltz
    to_timestamp_ntz to_unix_timestamp to_utc_timestamp to_varchar to_variant_object to_xml
    transform transform_keys transform_values try_add try_avg try_divide try_element_at
    try_make_interval try_make_timestamp try_make_timestamp_ltz try_make_timestamp_ntz try_mod
    try_multiply try_parse_json try_parse_url try_subtract try_sum try_to_binary try_to_date
    try_to_geography try_to_geometry try_to_number try_to_time try_to_timestamp try_url_decode
    try_validate_utf8 try_variant_get typeof unbase64 unhex unicode uniform unix_date
    unix_micros unix_millis unix_seconds unix_timestamp url_decode url_encode uuid
    validate_utf8 variant_explode variant_explode_outer variant_get vector_avg
    vector_cosine_similarity vector_inner_product vector_l2_distance vector_norm
    vector_normalize vector_sum window window_time xpath xpath_boolean xpath_double
    xpath_float xpath_int xpath_long xpath_number xpath_short xpath_string xxhash64 year
    zeroifnull zip_with zstd_compress zstd_decompress
"""
